package notes

import (
	"context"
	"strconv"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

var settingsResource = tool.NewResource(tool.ResourceDef{
	URI: "notes://settings", Name: "notes_settings", Title: "Settings of Notes",
	Description: "Folder, file ending and mode of the Notes app.",
	MIMEType:    "application/json", Scope: scope.NotesRead,
}, func(ctx context.Context, notes *api.Client, _ tool.Vars) (tool.Content, error) {
	s, err := notes.Settings(ctx)
	if err != nil {
		return tool.Content{}, err
	}
	return tool.JSONContent(s)
})

var noteResource = tool.NewResource(tool.ResourceDef{
	URI: "nc://Notes/{note_id}", Name: "note", Title: "Note",
	Description: "A note with its whole content.",
	MIMEType:    "application/json", Scope: scope.NotesRead,
}, func(ctx context.Context, notes *api.Client, vars tool.Vars) (tool.Content, error) {
	id, err := noteID(vars)
	if err != nil {
		return tool.Content{}, err
	}
	got, err := notes.Get(ctx, id)
	n, err := shown(ctx, got, err)
	if err != nil {
		return tool.Content{}, err
	}
	return tool.JSONContent(full(n))
})

var attachmentResource = tool.NewResource(tool.ResourceDef{
	URI: "nc://Notes/{note_id}/attachments/{attachment_filename}", Name: "note_attachment", Title: "Attachment of a note",
	Description: "An image or file of a note.",
	Scope:       scope.NotesRead,
}, func(ctx context.Context, notes *api.Client, vars tool.Vars) (tool.Content, error) {
	id, err := noteID(vars)
	if err != nil {
		return tool.Content{}, err
	}
	a, err := read(ctx, notes, id, vars["attachment_filename"])
	if err != nil {
		return tool.Content{}, err
	}
	if a.text() {
		return tool.Content{MIMEType: a.MIMEType, Text: string(a.data)}, nil
	}
	return tool.Content{MIMEType: a.MIMEType, Blob: a.data}, nil
})

// noteID is the id in a note's URI. What is no id names no note.
func noteID(vars tool.Vars) (int64, error) {
	id, err := strconv.ParseInt(vars["note_id"], 10, 64)
	if err != nil || id <= 0 {
		return 0, &nextcloud.Error{Op: "read the resource", Kind: nextcloud.ErrNotFound, Message: "a note's id is a positive number"}
	}
	return id, nil
}
