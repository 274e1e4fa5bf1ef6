package notes

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// MaxAttachment is the largest attachment that is read, in bytes.
const MaxAttachment = 5 << 20

// Attachment is a file that belongs to a note.
type Attachment struct {
	Name string // as it was found: "plan.png", ".attachments.42/plan.png"
	Type string // media type without parameters
	Data []byte
}

// Attachment reads a file that the text of a note names, such as plan.png for
// ![plan](plan.png), wherever the note is.
func (c *Client) Attachment(ctx context.Context, id int64, name string) (*Attachment, error) {
	op := fmt.Sprintf("get an attachment of note %d", id)
	if id <= 0 {
		return nil, invalid(op, "a note's id is a positive number")
	}
	var last error
	for _, candidate := range attachmentNames(id, name) {
		// The server would follow "..", which no attachment needs.
		if _, err := nextcloud.PathTree("", candidate); err != nil || candidate == "" {
			return nil, invalid(op, "the attachment's name is not the name of a file below the note")
		}
		a, err := c.attachment(ctx, op, id, candidate)
		if err == nil {
			return a, nil
		}
		last = err
		if !errors.Is(err, nextcloud.ErrNotFound) {
			break
		}
	}
	if e, ok := errors.AsType[*nextcloud.Error](last); ok {
		out := *e
		switch {
		case errors.Is(e, nextcloud.ErrNotFound):
			out.Message = "the note or the attachment is not there; the note's text names its attachments, as in ![](name.png)"
		case errors.Is(e, nextcloud.ErrInvalid):
			out.Message = "this version of the Notes app does not give out attachments"
		case errors.Is(e, nextcloud.ErrTooLarge):
			out.Message = fmt.Sprintf("it is larger than %d MiB; the person can open it at %s", MaxAttachment>>20, c.url(id))
		}
		return nil, &out
	}
	return nil, last
}

// attachmentNames are the places where an attachment can be, in the order to
// try. Uploads of the Notes app lie beside the note, those of Nextcloud's text
// editor in a hidden folder; Markdown has names in their encoded form.
func attachmentNames(id int64, name string) []string {
	name = strings.TrimPrefix(name, "./")
	names := []string{name}
	if plain, err := url.PathUnescape(name); err == nil && plain != name {
		names = append(names, plain)
	}
	if !strings.Contains(name, "/") {
		for _, n := range names {
			names = append(names, ".attachments."+strconv.FormatInt(id, 10)+"/"+n)
		}
	}
	return names
}

func (c *Client) attachment(ctx context.Context, op string, id int64, name string) (*Attachment, error) {
	res, err := c.nc.Do(ctx, nextcloud.Request{
		Op: op, Path: attachmentPath + "/" + strconv.FormatInt(id, 10),
		Query: url.Values{"path": {name}}, Accept: "*/*", MaxBody: MaxAttachment,
	})
	if err != nil {
		return nil, missing(err)
	}
	a := &Attachment{Name: name, Data: res.Body}
	a.Type, _, err = mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		a.Type, _, _ = mime.ParseMediaType(mime.TypeByExtension(path.Ext(name)))
	}
	if a.Type == "" {
		a.Type = "application/octet-stream"
	}
	return a, nil
}
