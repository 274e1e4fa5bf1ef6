package document

import (
	"context"
	"errors"
	"fmt"

	"nextcloud-mcp-server/internal/archive"
	"nextcloud-mcp-server/internal/picture"
)

// Job is what to do with a file. Whatever opens a file of a stranger is done
// by an Extractor, so that it ends with its process.
type Job string

// The jobs.
const (
	ReadDocument Job = ""        // its text
	FitPicture   Job = "picture" // small enough for a model
	ListArchive  Job = "list"    // a window of its members
	ReadMember   Job = "member"  // the bytes of one member
)

// Archive is what was asked of an archive.
type Archive struct {
	Format  string           `json:"format,omitempty"`
	Members []archive.Member `json:"members,omitempty"`
	More    bool             `json:"more,omitempty"` // members after these
	Data    []byte           `json:"data,omitempty"` // of ReadMember, whose member is the only one
}

// do does a job that is not the reading of text.
func (r *Request) do(ctx context.Context, data []byte) (*Document, error) {
	doc := &Document{Parts: []Part{}}
	switch r.Job {
	case FitPicture:
		p, err := picture.Fit(data, nil)
		if err != nil {
			return nil, jobError(ctx, err)
		}
		doc.Format, doc.Picture = Image, p
	case ListArchive:
		a := &Archive{}
		seen := 0
		format, err := archive.List(ctx, data, func(m archive.Member) bool {
			seen++
			switch {
			case seen <= r.Skip:
			case len(a.Members) == r.Limit:
				a.More = true
			default:
				a.Members = append(a.Members, m)
			}
			return !a.More
		})
		if err != nil {
			return nil, jobError(ctx, err)
		}
		a.Format, doc.Archive = format, a
	case ReadMember:
		m, content, err := archive.Read(ctx, data, r.Member, r.Most)
		if err != nil {
			return nil, jobError(ctx, err)
		}
		doc.Archive = &Archive{Members: []archive.Member{m}, Data: content}
	default:
		return nil, fmt.Errorf("no job %q", r.Job)
	}
	return doc, nil
}

func jobError(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return stopped(cause)
	}
	for _, k := range []struct{ from, to error }{
		{archive.ErrFormat, ErrUnsupported},
		{archive.ErrEncrypted, ErrEncrypted},
		{archive.ErrTooLarge, ErrTooLarge},
		{archive.ErrNoMember, ErrRange},
		{picture.ErrFormat, ErrUnsupported},
		{picture.ErrTooLarge, ErrTooLarge},
	} {
		if errors.Is(err, k.from) {
			return &Error{Kind: k.to, Message: err.Error(), Err: err}
		}
	}
	message := "the file is damaged"
	if errors.Is(err, archive.ErrDamaged) {
		message = archive.ErrDamaged.Error()
	}
	return &Error{Kind: ErrDamaged, Message: message, Err: err}
}
