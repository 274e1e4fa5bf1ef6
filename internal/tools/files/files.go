// Package files declares the tools and resources of Nextcloud's files. It is
// separate from the client below it because only this side knows what a model
// needs to be told and what it need not read.
package files

import (
	"context"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Files area.
var Tools = tool.Group[*api.Client]{
	Name: "files", Title: "Files", Client: api.New,
	Tools: []tool.Of[*api.Client]{},
}

// Item is a file or folder in a listing. What is empty or false is left out.
type Item struct {
	Path     string `json:"path"`
	Folder   bool   `json:"is_directory,omitempty"`
	Size     int64  `json:"size"`
	Type     string `json:"content_type,omitempty"`
	Modified string `json:"last_modified,omitempty"`
	ETag     string `json:"etag,omitempty"`
	FileID   int64  `json:"file_id,omitempty"`
	Favorite bool   `json:"is_favorite,omitempty"`
}

func item(e *api.Entry) Item {
	return Item{
		Path: e.Path, Folder: e.Folder, Size: max(e.Size, 0), Type: e.Type, Modified: timestamp(e.Modified),
		ETag: e.ETag, FileID: e.FileID, Favorite: e.Favorite,
	}
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// allow refuses paths that the connection may not reach: every tool calls it
// for each path it was given, before anything is asked of Nextcloud about it.
func allow(ctx context.Context, _ *api.Client, paths ...string) error {
	for _, path := range paths {
		if err := tool.CheckPath(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// visible are those of the entries that the connection may see.
func visible(ctx context.Context, _ *api.Client, entries []api.Entry) ([]api.Entry, error) {
	pol := tool.Policy(ctx)
	out := entries[:0]
	for _, e := range entries {
		if pol.AllowsPath(e.Path) {
			out = append(out, e)
		}
	}
	return out, nil
}
