package notes

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/document"
	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/picture"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// AttachmentInput is the input of nc_notes_get_attachment.
type AttachmentInput struct {
	NoteID   int64  `json:"note_id" jsonschema:"note id"`
	Filename string `json:"attachment_filename" jsonschema:"as the note's text names it"`
}

// Attachment is a file that belongs to a note. Its bytes are in the content of
// the result, not in its structured form.
type Attachment struct {
	Filename string `json:"filename,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Size     int    `json:"size,omitempty"`

	uri     string
	data    []byte
	picture *picture.Picture // of an image, small enough for a model
}

// maxText is the longest attachment that comes as text, in bytes; a longer one
// comes as a file.
const maxText = 256 << 10

// Content implements tool.Contenter.
func (a *Attachment) Content() []mcp.Content {
	if a.text() {
		return []mcp.Content{&mcp.TextContent{Text: string(a.data)}}
	}
	about := &mcp.TextContent{Text: fmt.Sprintf("%s (%s, %d bytes)", a.Filename, a.MIMEType, a.Size)}
	if p := a.picture; p != nil {
		if p.Changed {
			about.Text += fmt.Sprintf(", shown with %d by %d points", p.Width, p.Height)
		}
		return []mcp.Content{about, &mcp.ImageContent{Data: p.Data, MIMEType: p.Type}}
	}
	return []mcp.Content{about, &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: a.uri, MIMEType: a.MIMEType, Blob: a.data}}}
}

func (a *Attachment) text() bool {
	return strings.HasPrefix(a.MIMEType, "text/") && len(a.data) > 0 && len(a.data) <= maxText && utf8.Valid(a.data)
}

func read(ctx context.Context, notes *api.Client, id int64, name string) (*Attachment, error) {
	if err := reachable(ctx, notes, id, name); err != nil {
		return nil, err
	}
	a, err := notes.Attachment(ctx, id, name)
	if err != nil {
		return nil, err
	}
	return &Attachment{
		Filename: a.Name, MIMEType: a.Type, Size: len(a.Data), data: a.Data,
		uri: fmt.Sprintf("nc://Notes/%d/attachments/%s", id, url.PathEscape(a.Name)),
	}, nil
}

// fitting is an image upright and small enough for a model; nil for what is none
// or cannot be read, which is given as a file.
func fitting(ctx context.Context, a *Attachment) *picture.Picture {
	if !strings.HasPrefix(a.MIMEType, "image/") || a.MIMEType == "image/svg+xml" {
		return nil
	}
	if p, ok := picture.Ready(a.data); ok {
		return p
	}
	doc, err := tool.Documents(ctx).Extract(ctx, bytes.NewReader(a.data), document.Request{Name: a.Filename, Job: document.FitPicture})
	if err != nil {
		return nil
	}
	return doc.Picture
}

var attachment = tool.New(tool.Def{
	Name:        "nc_notes_get_attachment",
	Title:       "Read a note's attachment",
	Description: "Read an image or file of a note, up to 5 MiB.",
	Scope:       scope.NotesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"note_id", "attachment_filename"},
}, func(ctx context.Context, notes *api.Client, in AttachmentInput) (*Attachment, error) {
	a, err := read(ctx, notes, in.NoteID, in.Filename)
	if err != nil {
		return nil, err
	}
	a.picture = fitting(ctx, a)
	return a, nil
})
