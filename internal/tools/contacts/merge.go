package contacts

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// DuplicatesInput is the input of nc_contacts_find_duplicates.
type DuplicatesInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	Limit       int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
}

// Duplicates is the outcome of nc_contacts_find_duplicates.
type Duplicates struct {
	Items   []api.Duplicates `json:"items"`
	Total   int              `json:"total"`
	Skipped []api.Skipped    `json:"skipped,omitempty"`
}

var findDuplicates = tool.New(tool.Def{
	Name:        "nc_contacts_find_duplicates",
	Title:       "Find duplicate contacts",
	Description: "Find contacts that share email, phone or name, surest first.",
	Scope:       scope.ContactsRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"addressbook"},
}, func(ctx context.Context, contacts *api.Client, in DuplicatesInput) (*Duplicates, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	if in.Limit == 0 {
		in.Limit = 50
	}
	sets, skipped, err := contacts.Duplicates(ctx, in.Addressbook)
	if err != nil {
		return nil, err
	}
	return &Duplicates{append([]api.Duplicates{}, sets[:min(len(sets), in.Limit)]...), len(sets), skipped}, nil
})

// MergeInput is the input of nc_contacts_merge_contacts.
type MergeInput struct {
	Addressbook string   `json:"addressbook" jsonschema:"name or display name"`
	UID         string   `json:"uid" jsonschema:"contact to keep"`
	OtherUIDs   []string `json:"other_uids" jsonschema:"contacts that go into it"`
	DryRun      *bool    `json:"dry_run,omitempty" jsonschema:"default true, false does it"`
	ETag        string   `json:"etag,omitempty" jsonschema:"of the kept one"`
}

// Merged is what became, or would become, of several contacts.
type Merged struct {
	DryRun  bool          `json:"dry_run"`
	Contact *api.Contact  `json:"contact"`
	Added   []string      `json:"added,omitempty"`
	LeftOut []string      `json:"left_out,omitempty"`
	Removed []api.Removed `json:"removed"`
	Undo    string        `json:"undo,omitempty"`
}

var merge = tool.New(tool.Def{
	Name:        "nc_contacts_merge_contacts",
	Title:       "Merge contacts",
	Description: "Merge contacts into one and delete the others. Preview first, show left_out to the person, then dry_run false.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in MergeInput) (*Merged, error) {
	dry := in.DryRun == nil || *in.DryRun
	m, err := contacts.Merge(ctx, api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag}, in.OtherUIDs, dry)
	if err != nil {
		return nil, err
	}
	out := &Merged{DryRun: dry, Contact: m.Contact, Added: m.Added, LeftOut: m.LeftOut, Removed: m.Removed}
	if !m.Done {
		return out, nil
	}
	lost := ""
	for i := range out.Removed {
		text, without := withoutPhoto(out.Removed[i].VCard)
		out.Removed[i].VCard = text
		if without != "" {
			lost = ", but a photo was too large to show"
		}
	}
	out.Undo = fmt.Sprintf("nc_contacts_import_vcard with addressbook=%q makes each removed contact again from its vcard%s. What was added stays until nc_contacts_update_contact removes it.", m.Contact.Addressbook, lost)
	return out, nil
})
