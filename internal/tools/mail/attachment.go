package mail

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// AttachmentInput is the input of nc_mail_get_attachment.
type AttachmentInput struct {
	MessageID    int64  `json:"message_id" jsonschema:"message id"`
	AttachmentID string `json:"attachment_id" jsonschema:"as nc_mail_get_message names it"`
}

// Attachment is a file that came with a message. Its bytes are in the content
// of the result, not in its structured form.
type Attachment struct {
	Name     string `json:"name,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Size     int    `json:"size"`
	Note     string `json:"note,omitempty"`

	uri  string
	data []byte
}

// maxText is the longest attachment that comes as text, in bytes; a longer one
// comes as a file.
const maxText = 256 << 10

// Content implements tool.Contenter.
func (a *Attachment) Content() []mcp.Content {
	about := &mcp.TextContent{Text: fmt.Sprintf("%s (%s, %d bytes)", a.Name, a.MIMEType, a.Size)}
	switch {
	case a.Size == 0:
		return []mcp.Content{about}
	case a.MIMEType == "text/html" && a.text():
		md, _ := markdown(string(a.data))
		return []mcp.Content{about, &mcp.TextContent{Text: md}}
	case a.text():
		return []mcp.Content{about, &mcp.TextContent{Text: string(a.data)}}
	case shown[a.MIMEType]:
		return []mcp.Content{about, &mcp.ImageContent{Data: a.data, MIMEType: a.MIMEType}}
	}
	return []mcp.Content{about, &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: a.uri, MIMEType: a.MIMEType, Blob: a.data}}}
}

// shown are the pictures that models look at.
var shown = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

func (a *Attachment) text() bool {
	readable := strings.HasPrefix(a.MIMEType, "text/") || a.MIMEType == "application/json" || a.MIMEType == "application/ics" || a.MIMEType == "message/rfc822"
	return readable && len(a.data) <= maxText && utf8.Valid(a.data)
}

var attachment = tool.New(tool.Def{
	Name:        "nc_mail_get_attachment",
	Title:       "Read an attachment",
	Description: "Read an attachment of a message as text, image or file, up to 5 MiB.",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"message_id", "attachment_id"},
}, func(ctx context.Context, c *api.Client, in AttachmentInput) (*Attachment, error) {
	f, err := c.Attachment(ctx, in.MessageID, in.AttachmentID)
	if err != nil {
		return nil, err
	}
	out := &Attachment{
		Name: f.Name, MIMEType: f.MIME, Size: len(f.Data), data: f.Data,
		uri: fmt.Sprintf("nc://Mail/%d/attachments/%s", in.MessageID, url.PathEscape(in.AttachmentID)),
	}
	if out.Size == 0 {
		out.Note = "Nextcloud Mail answered nothing for this attachment. If it should not be empty, read nc_mail_get_message_source."
	}
	return out, nil
})
