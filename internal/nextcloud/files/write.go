package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Guard says when a write may happen. Its zero value creates and never
// overwrites.
type Guard struct {
	ETag      string // only over this version
	Overwrite bool   // over whatever is there, or create
	Existing  bool   // only over something that is there
}

func (g Guard) set(op string, h http.Header) error {
	switch {
	case g.ETag != "":
		if !validETag(g.ETag) {
			return invalidf(op, "the etag is not one that an earlier answer gave")
		}
		h.Set("If-Match", nextcloud.QuoteETag(g.ETag))
	case g.Existing:
		h.Set("If-Match", "*")
	case !g.Overwrite:
		h.Set("If-None-Match", "*")
	}
	return nil
}

// Written is what a write came to.
type Written struct {
	Path    string
	Size    int64
	Created bool
	ETag    string // empty when Nextcloud did not say
	FileID  int64
	URL     string
}

// WriteOptions are the optional parts of a write; nil means all defaults.
type WriteOptions struct {
	Type    string // media type; default what the name says
	Parents bool   // make the folders above that are missing
}

// Write writes a file of length bytes from body.
func (c *Client) Write(ctx context.Context, name string, body io.Reader, length int64, guard Guard, opts *WriteOptions) (*Written, error) {
	op := named("write", name)
	if opts == nil {
		opts = &WriteOptions{}
	}
	encoded, clean, err := c.newFile(ctx, op, name)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	if err := guard.set(op, h); err != nil {
		return nil, err
	}
	if opts.Parents {
		h.Set("X-Nc-Webdav-Auto-Mkcol", "1")
	}
	res, err := c.nc.Do(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPut, Path: encoded, Header: h, Reader: body, Length: length,
		Type: opts.Type, Accept: "application/xml",
	})
	if err != nil {
		return nil, c.unwritten(ctx, clean, guard, err)
	}
	return c.written(clean, length, res), nil
}

// newFile is remote for a path that is to be written.
func (c *Client) newFile(ctx context.Context, op, name string) (encoded, clean string, err error) {
	encoded, clean, err = c.remote(ctx, op, name)
	if err != nil {
		return "", "", err
	}
	if strings.HasSuffix(name, "/") {
		return "", "", invalidf(op, "the path names a folder; give the name of a file")
	}
	if err := checkNew(clean); err != nil {
		return "", "", invalidf(op, "%s", err)
	}
	return encoded, clean, nil
}

// written is what Nextcloud says of a write.
func (c *Client) written(clean string, size int64, res *nextcloud.Response) *Written {
	w := &Written{Path: clean, Size: size, Created: res.Status == http.StatusCreated, ETag: res.ETag()}
	if w.ETag == "" {
		w.ETag = nextcloud.UnquoteETag(res.Header.Get("OC-ETag"))
	}
	w.FileID = fileID(res.Header.Get("OC-FileId"))
	w.URL = c.url(w.FileID)
	return w
}

// fileID is the number at the start of the header, which the name of the
// instance follows: "00000149ocfrnxeqityk".
func fileID(header string) int64 {
	digits := header
	if i := strings.IndexFunc(header, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = header[:i]
	}
	return number(digits, 0)
}

// unwritten explains why a write did not happen.
func (c *Client) unwritten(ctx context.Context, clean string, guard Guard, err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	switch {
	case errors.Is(e, nextcloud.ErrPrecondition):
		return c.inTheWay(ctx, clean, guard, e)
	case errors.Is(e, nextcloud.ErrNotFound), errors.Is(e, nextcloud.ErrConflict) && strings.Contains(e.Message, "arent"):
		// Nextcloud: PUT into a folder that is not there is 404, MKCOL is 409.
		return with(err, e.Kind, fmt.Sprintf("the folder %s is not there: make it first, or ask for missing folders to be made", parent(clean)))
	case errors.Is(e, nextcloud.ErrConflict):
		return with(err, e.Kind, "a folder of this name is there")
	}
	return c.explain(ctx, clean, err)
}

// inTheWay says what is there now that a guard did not expect.
func (c *Client) inTheWay(ctx context.Context, clean string, guard Guard, e *nextcloud.Error) error {
	now, err := c.Stat(ctx, clean)
	missing := errors.Is(err, nextcloud.ErrNotFound)
	switch {
	case missing && (guard.ETag != "" || guard.Existing):
		return with(e, e.Kind, "it is not there any more")
	case err != nil:
		return with(e, e.Kind, "something else is there than was expected")
	case now.Folder:
		return with(e, e.Kind, "a folder of this name is there")
	case guard.ETag == "":
		return with(e, e.Kind, fmt.Sprintf("a file is there already, and it is kept: its etag is %s, its size %d bytes; to replace it give this etag", now.ETag, now.Size))
	}
	return with(e, e.Kind, fmt.Sprintf("its etag is now %s, its size %d bytes, changed %s", now.ETag, now.Size, now.Modified.UTC().Format("2006-01-02T15:04:05Z")))
}

// MakeFolder makes a folder; made is false when it was there already.
func (c *Client) MakeFolder(ctx context.Context, name string, parents bool) (made bool, err error) {
	op := named("make the folder", name)
	q, clean, err := c.query(ctx, op, name)
	if err != nil {
		return false, err
	}
	if clean == "/" {
		return false, nil
	}
	if err := checkNew(clean); err != nil {
		return false, invalidf(op, "%s", err)
	}
	err = c.dav.Mkcol(ctx, q)
	e, ok := errors.AsType[*nextcloud.Error](err)
	switch {
	case err == nil:
		return true, nil
	case ok && e.Status == http.StatusMethodNotAllowed:
		now, statErr := c.Stat(ctx, clean)
		if statErr != nil {
			return false, err
		}
		if !now.Folder {
			return false, with(err, nextcloud.ErrConflict, "a file of this name is there")
		}
		return false, nil
	case ok && errors.Is(e, nextcloud.ErrConflict):
		if !parents {
			return false, with(err, nextcloud.ErrConflict, fmt.Sprintf("the folder %s is not there: make it first, or ask for missing folders to be made", parent(clean)))
		}
		if parent(clean) == "/" {
			return false, err // the root is always there
		}
		if _, err := c.MakeFolder(ctx, parent(clean), true); err != nil {
			return false, err
		}
		return c.MakeFolder(ctx, clean, false)
	}
	return false, c.explain(ctx, clean, err)
}

// validETag reports whether tag can be an entity tag (RFC 9110, 8.8.3).
func validETag(tag string) bool {
	tag = nextcloud.UnquoteETag(tag)
	for _, b := range []byte(tag) {
		if b <= ' ' || b == '"' || b >= 0x7f {
			return false
		}
	}
	return tag != "" && tag != "*" && len(tag) <= 256
}

// Transfer says how to move or copy.
type Transfer struct {
	Copy      bool
	Overwrite bool   // what is at the destination goes to the trash
	ETag      string // with Overwrite: only when the destination is still this one
}

// Move moves, renames or copies a file, or a folder with all that is in it.
func (c *Client) Move(ctx context.Context, from, to string, t Transfer) (*Written, error) {
	method, verb := "MOVE", "move"
	if t.Copy {
		method, verb = "COPY", "copy"
	}
	op := named(verb, from) + named(" to", to)
	q, source, err := c.query(ctx, op, from)
	if err != nil {
		return nil, err
	}
	target, destination, err := c.remote(ctx, op, to)
	if err != nil {
		return nil, err
	}
	switch {
	case source == "/":
		return nil, invalidf(op, "the root itself cannot be moved or copied")
	case source == destination:
		return nil, invalidf(op, "both paths are the same")
	case strings.HasPrefix(destination, source+"/"):
		return nil, invalidf(op, "a folder cannot go into itself")
	case t.ETag != "" && !t.Overwrite:
		return nil, invalidf(op, "an etag of the destination goes with overwrite")
	case t.ETag != "" && !validETag(t.ETag):
		return nil, invalidf(op, "the etag is not one that an earlier answer gave")
	}
	// Something named otherwise than people could name it may be renamed, but
	// not the other way round.
	if err := checkNew(destination); err != nil {
		return nil, invalidf(op, "%s", err)
	}
	overwrite := dav.Keep
	if t.Overwrite {
		overwrite = dav.Replace
	}
	res, err := c.dav.Transfer(ctx, method, q, target, dav.Target{Overwrite: overwrite, ETag: t.ETag})
	if err != nil {
		return nil, c.unmoved(ctx, source, destination, t, err)
	}
	return c.written(destination, -1, res), nil
}

func (c *Client) unmoved(ctx context.Context, source, destination string, t Transfer, err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	switch {
	case errors.Is(e, nextcloud.ErrPrecondition) && t.ETag == "":
		return with(err, e.Kind, destination+" is there already, and it is kept")
	case errors.Is(e, nextcloud.ErrPrecondition):
		return c.inTheWay(ctx, destination, Guard{ETag: t.ETag}, e)
	case errors.Is(e, nextcloud.ErrNotFound):
		return with(err, e.Kind, source+" is not there")
	case errors.Is(e, nextcloud.ErrConflict) && strings.Contains(e.Message, "destination node is not found"):
		return with(err, e.Kind, fmt.Sprintf("the folder %s is not there: make it first", parent(destination)))
	}
	return c.explain(ctx, source, err)
}
