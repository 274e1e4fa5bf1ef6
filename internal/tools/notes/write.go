package notes

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// CreateInput is the input of nc_notes_create_note.
type CreateInput struct {
	Title    string `json:"title" jsonschema:"title, the server may adjust it"`
	Content  string `json:"content" jsonschema:"Markdown"`
	Category string `json:"category,omitempty" jsonschema:"folder such as Work/Ideas"`
}

var create = tool.New(tool.Def{
	Name:        "nc_notes_create_note",
	Title:       "Create a note",
	Description: "Create a Markdown note.",
	Scope:       scope.NotesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"title"},
}, func(ctx context.Context, notes *api.Client, in CreateInput) (*Saved, error) {
	if err := folderReachable(ctx, notes, in.Category); err != nil {
		return nil, err
	}
	return saved(notes.Create(ctx, api.Draft{Title: in.Title, Content: in.Content, Category: in.Category}))
})

// UpdateInput is the input of nc_notes_update_note.
type UpdateInput struct {
	NoteID   int64   `json:"note_id" jsonschema:"note id"`
	ETag     string  `json:"etag" jsonschema:"etag of the note as it was read"`
	Title    *string `json:"title,omitempty" jsonschema:"new title"`
	Content  *string `json:"content,omitempty" jsonschema:"new Markdown, replaces all"`
	Category *string `json:"category,omitempty" jsonschema:"new folder, empty for the root"`
	Favorite *bool   `json:"favorite,omitempty" jsonschema:"mark or unmark as favorite"`
}

var update = tool.New(tool.Def{
	Name:        "nc_notes_update_note",
	Title:       "Change a note",
	Description: "Change the given parts of a note, unless it changed since it was read.",
	Scope:       scope.NotesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"note_id"},
}, func(ctx context.Context, notes *api.Client, in UpdateInput) (*Saved, error) {
	if err := reachable(ctx, notes, in.NoteID); err != nil {
		return nil, err
	}
	if in.Category != nil {
		if err := folderReachable(ctx, notes, *in.Category); err != nil {
			return nil, err
		}
	}
	return saved(notes.Update(ctx, in.NoteID, in.ETag, api.Change{
		Title: in.Title, Content: in.Content, Category: in.Category, Favorite: in.Favorite,
	}))
})

// AppendInput is the input of nc_notes_append_content.
type AppendInput struct {
	NoteID    int64   `json:"note_id" jsonschema:"note id"`
	Content   string  `json:"content" jsonschema:"Markdown to add"`
	Separator *string `json:"separator,omitempty" jsonschema:"put before it, default a line of ---"`
}

var appendContent = tool.New(tool.Def{
	Name:        "nc_notes_append_content",
	Title:       "Append to a note",
	Description: "Add text at the end of a note, keeping what is there.",
	Scope:       scope.NotesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"note_id"},
}, func(ctx context.Context, notes *api.Client, in AppendInput) (*Saved, error) {
	if err := reachable(ctx, notes, in.NoteID); err != nil {
		return nil, err
	}
	separator := api.DefaultSeparator
	if in.Separator != nil {
		separator = *in.Separator
	}
	return saved(notes.Append(ctx, in.NoteID, in.Content, separator))
})

// DeleteInput is the input of nc_notes_delete_note.
type DeleteInput struct {
	NoteID int64  `json:"note_id" jsonschema:"note id"`
	ETag   string `json:"etag,omitempty" jsonschema:"refuse if the note's etag differs"`
}

// Deleted is the outcome of nc_notes_delete_note.
type Deleted struct {
	DeletedID int64  `json:"deleted_id,omitempty"`
	Title     string `json:"title,omitempty"`
	Undo      string `json:"undo,omitempty"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_notes_delete_note",
	Title:       "Delete a note",
	Description: "Move a note to Nextcloud's trash.",
	Scope:       scope.NotesWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Core,
	Object:      []string{"note_id"},
}, func(ctx context.Context, notes *api.Client, in DeleteInput) (*Deleted, error) {
	if err := reachable(ctx, notes, in.NoteID); err != nil {
		return nil, err
	}
	n, err := notes.Delete(ctx, in.NoteID, in.ETag)
	if err != nil {
		return nil, err
	}
	return &Deleted{
		DeletedID: n.ID, Title: n.Title,
		Undo: fmt.Sprintf("The person can restore the file %s in Nextcloud under Files, Deleted files, unless an administrator has switched the trash off.", n.Path),
	}, nil
})
