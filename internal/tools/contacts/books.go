package contacts

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Books is the outcome of nc_contacts_list_addressbooks.
type Books struct {
	Addressbooks []api.Book `json:"addressbooks"`
	TotalCount   int        `json:"total_count"`
}

var listBooks = tool.New(tool.Def{
	Name:        "nc_contacts_list_addressbooks",
	Title:       "List address books",
	Description: "List address books, own, shared, and the server's (system).",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, contacts *api.Client, _ struct{}) (*Books, error) {
	books, err := contacts.Books(ctx)
	if err != nil {
		return nil, err
	}
	return &Books{books, len(books)}, nil
})

// CreateBookInput is the input of nc_contacts_create_addressbook.
type CreateBookInput struct {
	Name        string `json:"name" jsonschema:"short, for its address"`
	DisplayName string `json:"display_name" jsonschema:"as people see it"`
	Description string `json:"description,omitempty" jsonschema:"text"`
}

var createBook = tool.New(tool.Def{
	Name:        "nc_contacts_create_addressbook",
	Title:       "Create an address book",
	Description: "Create an address book.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"name"},
}, func(ctx context.Context, contacts *api.Client, in CreateBookInput) (*api.Book, error) {
	return contacts.CreateBook(ctx, in.Name, in.DisplayName, in.Description)
})

// UpdateBookInput is the input of nc_contacts_update_addressbook.
type UpdateBookInput struct {
	Name        string  `json:"name" jsonschema:"or display name"`
	DisplayName *string `json:"display_name,omitempty" jsonschema:"new one"`
	Description *string `json:"description,omitempty" jsonschema:"new one"`
}

var updateBook = tool.New(tool.Def{
	Name:        "nc_contacts_update_addressbook",
	Title:       "Rename an address book",
	Description: "Change display name or description of an address book.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"name"},
}, func(ctx context.Context, contacts *api.Client, in UpdateBookInput) (*api.Book, error) {
	return contacts.UpdateBook(ctx, in.Name, in.DisplayName, in.Description)
})

// DeleteBookInput is the input of nc_contacts_delete_addressbook.
type DeleteBookInput struct {
	Name           string `json:"name" jsonschema:"or display name"`
	DeleteContacts bool   `json:"delete_contacts,omitempty" jsonschema:"with the contacts in it"`
}

// DeletedBook is an address book that was deleted.
type DeletedBook struct {
	DeletedName string `json:"deleted_name"`
	DisplayName string `json:"display_name"`
	Contacts    int    `json:"contacts,omitempty"`
	Undo        string `json:"undo"`
}

var deleteBook = tool.New(tool.Def{
	Name:        "nc_contacts_delete_addressbook",
	Title:       "Delete an address book",
	Description: "Delete an address book for good, or give up a shared one. Ask the person first.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Object:      []string{"name"},
}, func(ctx context.Context, contacts *api.Client, in DeleteBookInput) (*DeletedBook, error) {
	d, err := contacts.DeleteBook(ctx, in.Name, in.DeleteContacts)
	if err != nil {
		return nil, err
	}
	out := &DeletedBook{DeletedName: d.Name, DisplayName: d.DisplayName, Contacts: d.Contacts}
	switch {
	case d.Shared:
		out.Undo = fmt.Sprintf("Only given up: it still is in the account of %s, who can share it again.", d.Owner)
	case d.Contacts > 0:
		out.Undo = "None: Nextcloud has no trash for contacts. What was exported before comes back with nc_contacts_import_vcard into a new address book."
	default:
		out.Undo = fmt.Sprintf("It was empty: nc_contacts_create_addressbook makes it again with name=%q, display_name=%q.", d.Name, d.DisplayName)
	}
	return out, nil
})
