package files

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Comment is what somebody wrote about a file or folder.
type Comment struct {
	ID        int64
	Message   string
	ActorType string // "users", "guests", "bots", "deleted_users"
	ActorID   string
	Actor     string // display name
	Created   time.Time
	Verb      string // "comment"
	Unread    bool
}

// MaxComment is the longest comment, in characters; Nextcloud's own bound.
const MaxComment = 1000

// comments is the path of a file's comments, or of one of them, and the file.
func (c *Client) comments(ctx context.Context, op, name string, segments ...string) (dav.Query, *Entry, error) {
	e, _, err := c.stat(ctx, op, name, entryProps)
	if err != nil {
		return dav.Query{}, nil, err
	}
	path, err := nextcloud.Path(dav.Root+"/comments/files", append([]string{strconv.FormatInt(e.FileID, 10)}, segments...)...)
	return dav.Query{Op: op, Path: path}, e, err
}

// Comments are the comments on a file, newest first, from the given one on; at
// most limit of them.
func (c *Client) Comments(ctx context.Context, name string, limit, offset int) ([]Comment, *Entry, error) {
	op := named("list the comments on", name)
	q, e, err := c.comments(ctx, op, name)
	if err != nil {
		return nil, nil, err
	}
	oc := func(local, text string) dav.Element { return dav.Text(dav.Name(dav.NSOwnCloud, local), text) }
	report := dav.El(dav.Name(dav.NSOwnCloud, "filter-comments"), oc("limit", strconv.Itoa(limit)), oc("offset", strconv.Itoa(offset)))
	ms, err := c.dav.Report(ctx, q, report)
	if err != nil {
		return nil, nil, uncommented(err)
	}
	var out []Comment
	for i := range ms.Responses {
		if one := readComment(&ms.Responses[i]); one.ID > 0 {
			out = append(out, one)
		}
	}
	return out, e, nil
}

func readComment(r *dav.Response) Comment {
	text := func(local string) string { return r.Prop(dav.Name(dav.NSOwnCloud, local)).String() }
	one := Comment{
		ID: number(text("id"), 0), ActorType: text("actorType"), ActorID: text("actorId"), Actor: text("actorDisplayName"),
		Verb: text("verb"), Unread: text("isUnread") == "true",
	}
	if n := r.Prop(dav.Name(dav.NSOwnCloud, "message")); n != nil {
		one.Message = n.Text
	}
	one.Created, _ = http.ParseTime(text("creationDateTime"))
	return one
}

// uncommented says that there is nothing to comment, or no such comment.
func uncommented(err error) error {
	return with(err, nextcloud.ErrNotFound, "there is no such comment on it")
}

func message(op, text string) (string, error) {
	text = strings.Trim(text, " \t\n\r\x00\x0b")
	n := len([]rune(text))
	switch {
	case n == 0:
		return "", invalidf(op, "the comment is empty")
	case n > MaxComment:
		return "", invalidf(op, "the comment has %d characters, which is %d more than the %d that Nextcloud takes", n, n-MaxComment, MaxComment)
	}
	return text, nil
}

// Comment writes a comment on a file or folder.
func (c *Client) Comment(ctx context.Context, name, text string) (*Comment, *Entry, error) {
	op := named("comment on", name)
	text, err := message(op, text)
	if err != nil {
		return nil, nil, err
	}
	q, e, err := c.comments(ctx, op, name)
	if err != nil {
		return nil, nil, err
	}
	body := map[string]string{"actorType": "users", "verb": "comment", "message": text}
	res, err := c.nc.Do(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPost, Path: q.Path, Body: nextcloud.JSONBody(body), Type: "application/json", Accept: "application/xml",
	})
	if err != nil {
		return nil, nil, err
	}
	return &Comment{ID: number(dav.Base(res.Header.Get("Content-Location")), 0), Message: text}, e, nil
}

// oneComment finds a comment on a file.
func (c *Client) oneComment(ctx context.Context, op, name string, id int64) (dav.Query, *Comment, error) {
	q, _, err := c.comments(ctx, op, name, strconv.FormatInt(id, 10))
	if err != nil {
		return q, nil, err
	}
	var props []xml.Name
	for _, local := range []string{"id", "message", "actorId", "actorType", "actorDisplayName", "creationDateTime"} {
		props = append(props, dav.Name(dav.NSOwnCloud, local))
	}
	ms, err := c.dav.Propfind(ctx, q, props...)
	if err != nil {
		return q, nil, uncommented(err)
	}
	for i := range ms.Responses {
		if one := readComment(&ms.Responses[i]); one.ID == id {
			return q, &one, nil
		}
	}
	return q, nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound, Message: "there is no such comment on it"}
}

// EditComment changes a comment of the person's own, and answers what it was.
func (c *Client) EditComment(ctx context.Context, name string, id int64, text string) (*Comment, error) {
	op := named("edit a comment on", name)
	text, err := message(op, text)
	if err != nil {
		return nil, err
	}
	q, old, err := c.oneComment(ctx, op, name, id)
	if err != nil {
		return nil, err
	}
	err = c.dav.Proppatch(ctx, q, []dav.Element{dav.Text(dav.Name(dav.NSOwnCloud, "message"), text)})
	return old, notTheirs(err, old)
}

// DeleteComment deletes a comment of the person's own, and answers what it was.
func (c *Client) DeleteComment(ctx context.Context, name string, id int64) (*Comment, error) {
	op := named("delete a comment on", name)
	q, old, err := c.oneComment(ctx, op, name, id)
	if err != nil {
		return nil, err
	}
	return old, notTheirs(c.dav.Delete(ctx, q, dav.Condition{}), old)
}

// notTheirs says why a comment was left as it is.
func notTheirs(err error, old *Comment) error {
	if !errors.Is(err, nextcloud.ErrForbidden) {
		return err
	}
	return with(err, nextcloud.ErrForbidden, "only "+old.Actor+", who wrote it, can change it")
}
