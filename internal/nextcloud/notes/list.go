package notes

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// maxPage bounds the answer of one page, in bytes.
const maxPage = 16 << 20

// ListOptions say which page of the list to read; the zero value reads all.
type ListOptions struct {
	Size           int       // notes a page; 0 means all at once
	Cursor         string    // where the page begins, from the page before
	Since          time.Time // notes unchanged since then come as their id alone
	WithoutContent bool
	ETag           string // answer NotModified when the page still has it
}

// Page is a part of the list of all notes, in the order of their last change.
type Page struct {
	Notes       []*Note
	Stubs       []int64 // the other notes, on the last page: pruned, or on earlier pages
	Skipped     []Skipped
	Cursor      string // for the next page; empty on the last one
	ETag        string
	Time        time.Time // the server's time when the list began, in seconds
	NotModified bool      // everything else is empty then, but for ETag and Time
	Bytes       int       // the size of the answer
}

// List reads one page of the list of notes.
func (c *Client) List(ctx context.Context, o ListOptions) (*Page, error) {
	r := nextcloud.Request{Op: "list notes", Path: apiPath + "/notes", Query: url.Values{}, MaxBody: maxPage}
	if o.Size > 0 {
		r.Query.Set("chunkSize", strconv.Itoa(o.Size)) // Nextcloud: with the cursor, too
	}
	if o.Cursor != "" {
		r.Query.Set("chunkCursor", o.Cursor)
	}
	if !o.Since.IsZero() {
		r.Query.Set("pruneBefore", strconv.FormatInt(o.Since.Unix(), 10))
	}
	if o.WithoutContent {
		r.Query.Set("exclude", "content")
	}
	if o.ETag != "" {
		r.Header = http.Header{"If-None-Match": {nextcloud.QuoteETag(o.ETag)}}
	}
	res, err := c.nc.Do(ctx, r)
	if err != nil {
		return nil, missingApp(err)
	}
	p := &Page{
		Cursor: res.Header.Get("X-Notes-Chunk-Cursor"),
		// Apache's mod_deflate marks the tag of a compressed answer and does
		// not know its own mark when it comes back.
		ETag:        strings.TrimSuffix(res.ETag(), "-gzip"),
		NotModified: res.Status == http.StatusNotModified,
		Bytes:       len(res.Body),
	}
	if t, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
		p.Time = t
	}
	if p.NotModified {
		return p, nil
	}
	if err := p.decode(res.Body); err != nil {
		return nil, &nextcloud.Error{Op: r.Op, Kind: nextcloud.ErrBadAnswer, Status: res.Status, Err: err, Message: "the answer is not a list of notes"}
	}
	for _, n := range p.Notes {
		n.URL = c.url(n.ID)
	}
	return p, nil
}

// decode reads the notes of a page. One that cannot be read does not take the
// others with it.
func (p *Page) decode(body []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	for _, item := range list {
		var w wireNote
		switch err := w.decode(item); {
		case err != nil:
			p.Skipped = append(p.Skipped, Skipped{idOf(item), "unreadable answer of the server"})
		case bool(w.Error):
			p.Skipped = append(p.Skipped, Skipped{int64(w.ID), "Nextcloud cannot read its file"})
		case w.Title == nil && w.ETag == "":
			p.Stubs = append(p.Stubs, int64(w.ID))
		default:
			p.Notes = append(p.Notes, w.note())
		}
	}
	return nil
}

// idOf is the id of a note that cannot be read otherwise; 0 when there is none.
func idOf(item json.RawMessage) int64 {
	var w struct {
		ID integer `json:"id"`
	}
	if json.Unmarshal(item, &w) != nil {
		return 0
	}
	return int64(w.ID)
}
