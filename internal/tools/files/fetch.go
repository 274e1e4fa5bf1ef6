package files

import (
	"context"
	"path"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// fetched is how much of a file fetch answers, in bytes.
const fetched = 200_000

// fileDocument reads the text of a file that a search found, by its path.
var fileDocument = tool.NewDocument(tool.DocumentDef{Kind: "file", Scope: scope.FilesRead, Folders: true},
	func(ctx context.Context, files *api.Client, name string) (*tool.Text, error) {
		r, err := readFile(ctx, files, ReadInput{Path: name, MaxBytes: fetched})
		if err != nil {
			return nil, err
		}
		out := &tool.Text{Title: path.Base(r.Path), Text: r.Text, URL: files.PlaceURL(r.Path), Metadata: map[string]string{
			"path": r.Path, "content_type": r.Type, "etag": r.ETag, "last_modified": r.Modified,
		}}
		switch {
		case r.Text == "" && r.Size > 0:
			out.Metadata["note"] = "It is no text. nc_webdav_read_file shows images and gives files."
		case r.Truncated:
			out.Metadata["note"] = "This is the beginning. nc_webdav_read_file reads on."
		}
		return out, nil
	})
