package contacts

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Page is a part of a list of contacts.
type Page struct {
	Items      []api.Summary `json:"items"`
	Total      int           `json:"total"`
	NextCursor string        `json:"next_cursor,omitempty"`
	Skipped    []api.Skipped `json:"skipped,omitempty"`
	Note       string        `json:"note,omitempty"`
}

func page(p *api.Page, err error) (*Page, error) {
	if err != nil {
		return nil, err
	}
	return &Page{p.Items, p.Total, p.Next, p.Skipped, p.Note}, nil
}

// ListInput is the input of nc_contacts_list_contacts.
type ListInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	Group       string `json:"group,omitempty" jsonschema:"only this group"`
	Limit       int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor      string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var list = tool.New(tool.Def{
	Name:        "nc_contacts_list_contacts",
	Title:       "List contacts",
	Description: "List an address book by name, each with uid, main email and phone.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"addressbook"},
}, func(ctx context.Context, contacts *api.Client, in ListInput) (*Page, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	return page(contacts.List(ctx, api.Query{Addressbook: in.Addressbook, Group: in.Group, Limit: in.Limit, Cursor: in.Cursor}))
})

// SearchInput is the input of nc_contacts_search_contacts.
type SearchInput struct {
	Query       string `json:"query" jsonschema:"words, or a phone number"`
	Addressbook string `json:"addressbook,omitempty" jsonschema:"default all"`
	Limit       int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor      string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var search = tool.New(tool.Def{
	Name:        "nc_contacts_search_contacts",
	Title:       "Search contacts",
	Description: "Find contacts and accounts by all words in name, nickname, email, organization, group or note, or by phone.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"addressbook"},
}, func(ctx context.Context, contacts *api.Client, in SearchInput) (*Page, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	return page(contacts.Search(ctx, api.Query{Addressbook: in.Addressbook, Text: in.Query, Limit: in.Limit, Cursor: in.Cursor}))
})

// GetInput is the input of nc_contacts_get_contact.
type GetInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	UID         string `json:"uid" jsonschema:"or full name"`
}

// Full is the outcome of nc_contacts_get_contact.
type Full struct {
	Contact *api.Contact `json:"contact"`
}

var get = tool.New(tool.Def{
	Name:        "nc_contacts_get_contact",
	Title:       "Read a contact",
	Description: "Read all fields of a contact, with its etag, without the photo.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in GetInput) (*Full, error) {
	c, err := contacts.Get(ctx, in.Addressbook, in.UID)
	if err != nil {
		return nil, err
	}
	return &Full{c}, nil
})
