// Package notes is the typed client of the Notes app's REST API
// (github.com/nextcloud/notes, docs/api/v1.md). It is separate from the tools
// so that everything the API and its versions do differently is known in one
// place, and so that searching, which the API does not offer, has one home.
package notes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

const (
	apiPath        = "/index.php/apps/notes/api/v1"
	attachmentPath = "/index.php/apps/notes/api/v1.4/attachment"
)

// Client reads and writes one person's notes. It holds no state of its own:
// what it remembers for searching is in the cache of the nextcloud.Client.
type Client struct {
	nc *nextcloud.Client
}

// New is the notes of the person that nc speaks for.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

// Create writes a new note. The server strips characters that file names
// cannot have from the title and makes it unique, so the answer's title counts.
func (c *Client) Create(ctx context.Context, d Draft) (*Note, error) {
	body := struct {
		Title    string `json:"title,omitempty"`
		Content  string `json:"content"`
		Category string `json:"category,omitempty"`
		Favorite bool   `json:"favorite,omitempty"`
	}{d.Title, d.Content, d.Category, d.Favorite}
	return c.one(ctx, nextcloud.Request{
		Op: "create the note", Method: http.MethodPost, Path: apiPath + "/notes",
		Body: nextcloud.JSONBody(body), Type: "application/json",
	})
}

// Get is one note with its content.
func (c *Client) Get(ctx context.Context, id int64) (*Note, error) {
	return c.read(ctx, fmt.Sprintf("get note %d", id), id, nil)
}

// withoutContent is the query for everything of a note but its content.
var withoutContent = url.Values{"exclude": {"content"}}

func (c *Client) read(ctx context.Context, op string, id int64, query url.Values) (*Note, error) {
	path, err := notePath(op, id)
	if err != nil {
		return nil, err
	}
	return c.one(ctx, nextcloud.Request{Op: op, Path: path, Query: query})
}

// Update changes a note that still has the given etag; otherwise nothing is
// written and the error is nextcloud.ErrPrecondition with the current etag in
// its message.
func (c *Client) Update(ctx context.Context, id int64, etag string, change Change) (*Note, error) {
	op := fmt.Sprintf("update note %d", id)
	switch {
	case change.empty():
		return nil, invalid(op, "nothing to change: give title, content, category or favorite")
	case change.Title != nil && strings.TrimSpace(*change.Title) == "":
		return nil, invalid(op, "the title cannot be empty")
	}
	return c.put(ctx, op, id, etag, change)
}

// DefaultSeparator parts what Append adds from what was there: a Markdown rule.
const DefaultSeparator = "\n---\n"

// appendTries bounds Append: the first try and two more.
const appendTries = 3

// Append adds text at the end of a note, after separator unless the note is
// empty. Each try is guarded by the etag it has just read.
func (c *Client) Append(ctx context.Context, id int64, text, separator string) (*Note, error) {
	op := fmt.Sprintf("append to note %d", id)
	if text == "" {
		return nil, invalid(op, "there is nothing to append")
	}
	for try := 1; ; try++ {
		n, err := c.read(ctx, op, id, nil)
		if err != nil {
			return nil, err
		}
		content := n.Content + separator + text
		if n.Content == "" {
			content = text
		}
		n, err = c.put(ctx, op, id, n.ETag, Change{Content: &content})
		// Trying again is safe here, unlike with Update: whatever somebody else
		// wrote meanwhile is read again and kept, and ours goes after it.
		if err == nil || !errors.Is(err, nextcloud.ErrPrecondition) || try == appendTries {
			return n, err
		}
	}
}

func (c *Client) put(ctx context.Context, op string, id int64, etag string, change Change) (*Note, error) {
	path, err := notePath(op, id)
	if err != nil {
		return nil, err
	}
	if !validETag(etag) {
		return nil, invalid(op, "the etag of the note is needed, as an earlier answer gave it")
	}
	body := struct {
		Title    *string `json:"title,omitempty"`
		Content  *string `json:"content,omitempty"`
		Category *string `json:"category,omitempty"`
		Favorite *bool   `json:"favorite,omitempty"`
	}(change)
	n, err := c.one(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPut, Path: path,
		// Nextcloud: an unquoted tag never matches.
		Header: http.Header{"If-Match": {nextcloud.QuoteETag(etag)}},
		Body:   nextcloud.JSONBody(body), Type: "application/json",
	})
	if e, ok := errors.AsType[*nextcloud.Error](err); ok {
		switch {
		case errors.Is(e, nextcloud.ErrPrecondition):
			return nil, c.changed(ctx, id, e)
		case errors.Is(e, nextcloud.ErrForbidden):
			return nil, readOnly(e)
		}
	}
	return n, err
}

// changed says what a note is now that was to be written with an old etag.
func (c *Client) changed(ctx context.Context, id int64, e *nextcloud.Error) error {
	var current *Note
	var w wireNote
	// Nextcloud: the body of a 412 is the current note. That of a long note
	// does not fit into the error and is asked for again, without its content.
	if w.decode(e.Body) == nil && int64(w.ID) == id && w.ETag != "" {
		current = w.note()
	} else if n, err := c.read(ctx, e.Op, id, withoutContent); err == nil {
		current = n
	} else {
		return e
	}
	out := *e
	out.Body = nil
	out.Message = fmt.Sprintf("its etag is now %s and its title %q", current.ETag, current.Title)
	return &out
}

// Delete moves a note to the trash of Nextcloud's files and answers what it
// was, without its content. With an etag, a note that changed since is kept.
func (c *Client) Delete(ctx context.Context, id int64, etag string) (*Note, error) {
	op := fmt.Sprintf("delete note %d", id)
	if etag != "" && !validETag(etag) {
		return nil, invalid(op, "the etag is not one that an earlier answer gave")
	}
	n, err := c.read(ctx, op, id, withoutContent)
	if err != nil {
		return nil, err
	}
	// Nextcloud: DELETE ignores If-Match, so the etag is compared here. What
	// changes between the two requests is in the trash, not lost.
	if etag != "" && nextcloud.UnquoteETag(etag) != n.ETag {
		return nil, &nextcloud.Error{
			Op: op, Kind: nextcloud.ErrPrecondition, Status: http.StatusPreconditionFailed,
			Message: fmt.Sprintf("its etag is now %s and its title %q", n.ETag, n.Title),
		}
	}
	path, err := notePath(op, id)
	if err != nil {
		return nil, err
	}
	if _, err := c.nc.Do(ctx, nextcloud.Request{Op: op, Method: http.MethodDelete, Path: path}); err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && errors.Is(e, nextcloud.ErrForbidden) {
			return nil, readOnly(e)
		}
		return nil, missing(err)
	}
	return n, nil
}

// Settings are the person's settings of the Notes app.
func (c *Client) Settings(ctx context.Context) (*Settings, error) {
	var s Settings
	_, err := c.nc.JSON(ctx, nextcloud.Request{Op: "get the settings of Notes", Path: apiPath + "/settings"}, &s)
	if err != nil {
		return nil, missingApp(err)
	}
	return &s, nil
}

// one sends r, whose answer is one note.
func (c *Client) one(ctx context.Context, r nextcloud.Request) (*Note, error) {
	res, err := c.nc.Do(ctx, r)
	if err != nil {
		return nil, missing(err)
	}
	var w wireNote
	if err := w.decode(res.Body); err != nil {
		return nil, &nextcloud.Error{Op: r.Op, Kind: nextcloud.ErrBadAnswer, Status: res.Status, Err: err, Message: "the answer is not a note"}
	}
	if w.Error {
		// Nextcloud: the content is an error message then. Taking it for the
		// note's text would let it be written back over the file.
		return nil, &nextcloud.Error{Op: r.Op, Kind: nextcloud.ErrUnavailable, Status: res.Status, Message: "Nextcloud cannot read the file of this note"}
	}
	n := w.note()
	n.URL = c.url(n.ID)
	return n, nil
}

// url opens a note in a browser.
func (c *Client) url(id int64) string {
	return c.nc.Host().PublicURL("/index.php/apps/notes/note/" + strconv.FormatInt(id, 10))
}

func notePath(op string, id int64) (string, error) {
	if id <= 0 {
		return "", invalid(op, "a note's id is a positive number")
	}
	return apiPath + "/notes/" + strconv.FormatInt(id, 10), nil
}
