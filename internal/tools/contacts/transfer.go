package contacts

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ImportInput is the input of nc_contacts_import_vcard.
type ImportInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	VCard       string `json:"vcard" jsonschema:"one or more vCards, up to 200 or 1 MiB"`
	NewUIDs     bool   `json:"new_uids,omitempty" jsonschema:"import even what is there"`
}

// Imported is the outcome of nc_contacts_import_vcard.
type Imported struct {
	Items   []Saved       `json:"items"`
	Skipped []api.Skipped `json:"skipped,omitempty"`
}

var importCards = tool.New(tool.Def{
	Name:        "nc_contacts_import_vcard",
	Title:       "Import vCards",
	Description: "Create contacts from vCards of any version. What is there already is skipped.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"addressbook"},
}, func(ctx context.Context, contacts *api.Client, in ImportInput) (*Imported, error) {
	done, err := contacts.Import(ctx, in.Addressbook, in.VCard, in.NewUIDs)
	if err != nil {
		return nil, err
	}
	out := &Imported{Items: []Saved{}, Skipped: done.Skipped}
	for _, s := range done.Created {
		out.Items = append(out.Items, Saved{UID: s.UID, Name: s.Name, ETag: s.ETag})
	}
	return out, nil
})

// ExportInput is the input of nc_contacts_export_vcard.
type ExportInput struct {
	Addressbook string   `json:"addressbook" jsonschema:"name or display name"`
	UIDs        []string `json:"uids,omitempty" jsonschema:"default all"`
	Group       string   `json:"group,omitempty" jsonschema:"only this group"`
	Photos      bool     `json:"photos,omitempty" jsonschema:"with photos"`
	Limit       int      `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor      string   `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Exported is the outcome of nc_contacts_export_vcard.
type Exported struct {
	VCards     string        `json:"vcards"`
	Count      int           `json:"count"`
	Total      int           `json:"total"`
	NextCursor string        `json:"next_cursor,omitempty"`
	Skipped    []api.Skipped `json:"skipped,omitempty"`
}

var exportCards = tool.New(tool.Def{
	Name:        "nc_contacts_export_vcard",
	Title:       "Export vCards",
	Description: "Get contacts as vCards, one as it is stored, several as vCard 3.0.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"addressbook"},
}, func(ctx context.Context, contacts *api.Client, in ExportInput) (*Exported, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	e, err := contacts.Export(ctx, api.ExportQuery{
		Addressbook: in.Addressbook, UIDs: in.UIDs, Group: in.Group, Photos: in.Photos, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return &Exported{e.VCards, e.Count, e.Total, e.Next, e.Skipped}, nil
})
