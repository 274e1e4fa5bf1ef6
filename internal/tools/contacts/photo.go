package contacts

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Photo is the picture of a contact. Its bytes are in the content of the
// result, not in its structured form.
type Photo struct {
	Name     string `json:"fn,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Size     int    `json:"size,omitempty"`
	URL      string `json:"url,omitempty"`

	data []byte
}

// Content implements tool.Contenter.
func (p *Photo) Content() []mcp.Content {
	if len(p.data) == 0 {
		return nil // the structured form says where it is
	}
	about := &mcp.TextContent{Text: fmt.Sprintf("Photo of %s (%s, %d bytes)", p.Name, p.MIMEType, p.Size)}
	return []mcp.Content{about, &mcp.ImageContent{Data: p.data, MIMEType: p.MIMEType}}
}

// maxShown is the largest picture that a result holds, in bytes.
const maxShown = 2 << 20

var getPhoto = tool.New(tool.Def{
	Name:        "nc_contacts_get_photo",
	Title:       "See a contact's photo",
	Description: "Get the photo of a contact as an image, up to 2 MiB.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in GetInput) (*Photo, error) {
	p, err := contacts.Photo(ctx, in.Addressbook, in.UID)
	if err != nil {
		return nil, err
	}
	if len(p.Data) > maxShown {
		return nil, tool.Invalidf("the photo has %d bytes, and at most %d can be shown", len(p.Data), maxShown)
	}
	return &Photo{Name: p.Name, MIMEType: p.Type, Size: len(p.Data), URL: p.URI, data: p.Data}, nil
})

// SetPhotoInput is the input of nc_contacts_set_photo.
type SetPhotoInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	UID         string `json:"uid" jsonschema:"or full name"`
	Photo       string `json:"photo" jsonschema:"JPEG, PNG, GIF or WebP as base64 up to 2 MiB, empty removes"`
	ETag        string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

var setPhoto = tool.New(tool.Def{
	Name:        "nc_contacts_set_photo",
	Title:       "Set a contact's photo",
	Description: "Replace or remove the photo of a contact.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in SetPhotoInput) (*Saved, error) {
	return saved(contacts.SetPhoto(ctx, api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag}, in.Photo))
})
