package notes

import (
	"context"
	"strconv"

	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// noteDocument reads a note that a search found.
var noteDocument = tool.NewDocument(tool.DocumentDef{Kind: "note", Scope: scope.NotesRead},
	func(ctx context.Context, notes *api.Client, id string) (*tool.Text, error) {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			return nil, tool.Invalidf("%q is no id of a note", id)
		}
		got, err := notes.Get(ctx, n)
		note, err := shown(ctx, got, err)
		if err != nil {
			return nil, err
		}
		return &tool.Text{Title: note.Title, Text: note.Content, URL: note.URL, Metadata: map[string]string{
			"category": note.Category, "etag": note.ETag, "modified": timestamp(note.Modified),
		}}, nil
	})
