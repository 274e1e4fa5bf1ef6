package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// File is the content of a file, or a part of it, while it arrives. Who gets
// it has to close Body.
type File struct {
	Path     string
	Type     string // media type without parameters
	ETag     string
	Modified time.Time
	Size     int64 // of the whole file in bytes; negative when not known
	Offset   int64 // of the first byte of Body
	Length   int64 // of Body; negative when not known
	// Body ends in an error when the connection is cut in the middle.
	Body io.ReadCloser
	// Fresh says that the file was changed within the last moments, so that its
	// etag may be that of another content too, see Settle.
	Fresh bool
}

// Open reads a file from its byte offset on, at most length bytes of it; a
// length of 0 means up to its end. It is one request.
func (c *Client) Open(ctx context.Context, name string, offset, length int64) (*File, error) {
	op := named("read", name)
	encoded, clean, err := c.remote(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if offset < 0 || length < 0 {
		return nil, invalidf(op, "offset and length cannot be negative")
	}
	h := http.Header{
		// A length that can be checked is worth more than a compressed body.
		"Accept-Encoding": {"identity"},
	}
	// Nextcloud: a range of an empty file is refused, so the beginning is read
	// without one.
	ranged := offset > 0
	if ranged {
		end := ""
		if length > 0 {
			end = strconv.FormatInt(offset+length-1, 10)
		}
		h.Set("Range", fmt.Sprintf("bytes=%d-%s", offset, end))
	}
	s, err := c.nc.Stream(ctx, nextcloud.Request{Op: op, Path: encoded, Header: h, Accept: "*/*", MaxBody: 1 << 62})
	if err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Status == http.StatusRequestedRangeNotSatisfiable {
			return nil, invalidf(op, "offset %d is beyond the end of the file", offset)
		}
		return nil, c.explain(ctx, clean, err)
	}
	f := &File{Path: clean, ETag: s.ETag(), Size: s.Length, Length: s.Length, Body: s.Body}
	f.Type = mediaType(s.Header.Get("Content-Type"), clean)
	f.Modified, _ = http.ParseTime(s.Header.Get("Last-Modified"))
	f.Fresh = fresh(s.Header, f.Modified)
	if f.ETag == "" {
		// Nextcloud: a folder answers GET with a sentence for people.
		_ = s.Body.Close()
		return nil, invalidf(op, "it is a folder: list it with nc_webdav_list_directory")
	}
	if ranged {
		if err := f.part(op, s, offset); err != nil {
			_ = s.Body.Close()
			return nil, err
		}
	}
	if length > 0 && (f.Length < 0 || f.Length > length) {
		f.Length = min(length, max(f.Size-offset, 0))
		if f.Size < 0 {
			f.Length = -1
		}
		f.Body = &part{Reader: io.LimitReader(s.Body, length), body: s.Body}
	}
	return f, nil
}

// part reads what a 206 says of itself (RFC 9110, 14.4). A server that does
// not know ranges answers with the whole file, of which the start is skipped.
func (f *File) part(op string, s *nextcloud.Stream, offset int64) error {
	if s.Status != http.StatusPartialContent {
		if _, err := io.CopyN(io.Discard, s.Body, offset); err != nil {
			if errors.Is(err, io.EOF) {
				return invalidf(op, "offset %d is beyond the end of the file", offset)
			}
			return err
		}
		f.Offset = offset
		if f.Length >= 0 {
			f.Length -= offset
		}
		return nil
	}
	var start, end, size int64
	if _, err := fmt.Sscanf(s.Header.Get("Content-Range"), "bytes %d-%d/%d", &start, &end, &size); err != nil || start != offset || end < start || size <= end {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: s.Status, Message: "Nextcloud answered with another part of the file than was asked for"}
	}
	f.Offset, f.Size, f.Length = start, size, end-start+1
	return nil
}

// part is a body of which only the start is read.
type part struct {
	io.Reader
	body io.Closer
}

func (p *part) Close() error { return p.body.Close() }

// Content is a file that was read, or a part of it.
type Content struct {
	File
	Data []byte
}

// Read reads at most most bytes of a file from offset on.
func (c *Client) Read(ctx context.Context, name string, offset, most int64) (*Content, error) {
	f, err := c.Open(ctx, name, offset, most)
	if err != nil {
		return nil, err
	}
	defer f.Body.Close()
	data, err := io.ReadAll(f.Body)
	if err != nil {
		return nil, err
	}
	if f.Length >= 0 && int64(len(data)) != f.Length {
		return nil, &nextcloud.Error{
			Op: named("read", name), Kind: nextcloud.ErrUnavailable,
			Message: fmt.Sprintf("only %d of %d bytes came", len(data), f.Length),
		}
	}
	f.Length = int64(len(data))
	return &Content{*f, data}, nil
}

// mediaType is the media type of an answer without its parameters, or what the
// name says.
func mediaType(header, name string) string {
	kind, _, err := mime.ParseMediaType(header)
	if err == nil && kind != "application/octet-stream" {
		return kind
	}
	if byName, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(strings.ToLower(name)))); err == nil {
		return byName
	}
	return "application/octet-stream"
}

// fresh reports whether what was changed at modified could be changed again
// within the same second as the server's clock runs. Nextcloud: etags have a
// granularity of one second.
func fresh(h http.Header, modified time.Time) bool {
	now, err := http.ParseTime(h.Get("Date"))
	return err == nil && !modified.IsZero() && now.Sub(modified) < time.Second && modified.Sub(now) < 2*time.Second
}

// settleWait is how long it takes until an etag belongs to one content only.
const settleWait = 1100 * time.Millisecond

// readSettled is Read of a whole file of at most most bytes, with an etag that
// belongs to this content and no other: a file that was changed in this very
// second is read again when the second is over. A write that is made with such
// an etag cannot overwrite what somebody else has written in between.
func (c *Client) readSettled(ctx context.Context, name string, most int64) (*Content, error) {
	for try := 1; ; try++ {
		got, err := c.Read(ctx, name, 0, most+1)
		if err != nil {
			return nil, err
		}
		if int64(len(got.Data)) > most {
			return nil, &nextcloud.Error{
				Op: named("read", name), Kind: nextcloud.ErrTooLarge,
				Message: fmt.Sprintf("it has %d bytes, and more than %d cannot be edited here", got.Size, most),
			}
		}
		if !got.Fresh || try == 3 {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(settleWait):
		}
	}
}
