package contacts

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// MoveInput is the input of nc_contacts_move_contact and
// nc_contacts_copy_contact.
type MoveInput struct {
	Addressbook       string `json:"addressbook" jsonschema:"where it is"`
	UID               string `json:"uid" jsonschema:"or full name"`
	TargetAddressbook string `json:"target_addressbook" jsonschema:"where it goes"`
	ETag              string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

// Moved is a contact in its new address book.
type Moved struct {
	UID         string `json:"uid"`
	Name        string `json:"fn"`
	Addressbook string `json:"addressbook"`
	Undo        string `json:"undo"`
}

var move = tool.New(tool.Def{
	Name:        "nc_contacts_move_contact",
	Title:       "Move a contact",
	Description: "Move a contact to another address book, without loss.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"addressbook", "uid", "target_addressbook"},
}, func(ctx context.Context, contacts *api.Client, in MoveInput) (*Moved, error) {
	m, err := contacts.Move(ctx, api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag}, in.TargetAddressbook, false)
	if err != nil {
		return nil, err
	}
	c := m.Contact
	return &Moved{c.UID, c.Name, c.Addressbook, fmt.Sprintf("nc_contacts_move_contact with addressbook=%q, uid=%q, target_addressbook=%q.", c.Addressbook, c.UID, m.From)}, nil
})

var duplicate = tool.New(tool.Def{
	Name:        "nc_contacts_copy_contact",
	Title:       "Copy a contact",
	Description: "Copy a contact to another address book. Both have the same uid.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Creates,
	Tier:        tool.Complete,
	Object:      []string{"addressbook", "uid", "target_addressbook"},
}, func(ctx context.Context, contacts *api.Client, in MoveInput) (*Moved, error) {
	m, err := contacts.Move(ctx, api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag}, in.TargetAddressbook, true)
	if err != nil {
		return nil, err
	}
	c := m.Contact
	return &Moved{c.UID, c.Name, c.Addressbook, fmt.Sprintf("nc_contacts_delete_contact with addressbook=%q, uid=%q.", c.Addressbook, c.UID)}, nil
})

// GroupsInput is the input of nc_contacts_list_groups.
type GroupsInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
}

// Groups is the outcome of nc_contacts_list_groups.
type Groups struct {
	Items   []api.Group `json:"items"`
	Without int         `json:"without_group,omitempty"`
}

var groups = tool.New(tool.Def{
	Name:        "nc_contacts_list_groups",
	Title:       "List contact groups",
	Description: "List the groups of an address book, with how many contacts each has.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"addressbook"},
}, func(ctx context.Context, contacts *api.Client, in GroupsInput) (*Groups, error) {
	list, without, err := contacts.Groups(ctx, in.Addressbook)
	if err != nil {
		return nil, err
	}
	return &Groups{list, without}, nil
})

// GroupAction is what becomes of a contact's membership.
type GroupAction string

// Values are the actions.
func (GroupAction) Values() []string { return []string{"add", "remove"} }

// SetGroupInput is the input of nc_contacts_set_group.
type SetGroupInput struct {
	Addressbook string      `json:"addressbook" jsonschema:"name or display name"`
	UID         string      `json:"uid" jsonschema:"or full name"`
	Group       string      `json:"group" jsonschema:"made when it is new"`
	Action      GroupAction `json:"action,omitempty" jsonschema:"default add"`
	ETag        string      `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

var setGroup = tool.New(tool.Def{
	Name:        "nc_contacts_set_group",
	Title:       "Put a contact into a group",
	Description: "Put a contact into a group, or take it out.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"addressbook", "uid", "group"},
}, func(ctx context.Context, contacts *api.Client, in SetGroupInput) (*Saved, error) {
	return saved(contacts.SetGroup(ctx, api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag}, in.Group, in.Action != "remove"))
})
