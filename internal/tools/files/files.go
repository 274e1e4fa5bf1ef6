// Package files declares the tools and resources of Nextcloud's files. It is
// separate from the client below it because only this side knows what a model
// needs to be told and what it need not read.
package files

import (
	"context"
	"strings"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Files area.
var Tools = tool.Group[*api.Client]{
	Name: "files", Title: "Files", Client: api.New,
	Tools: []tool.Of[*api.Client]{
		list, info, tree, read, listArchive, readMember, search, findByName, findByType, favorites, recent, link,
		write, edit, appendText, makeFolder, remove, move, duplicate, upload,
		listTrash, restoreTrash, purgeTrash, emptyTrash,
		listVersions, readVersion, restoreVersion, labelVersion,
		setFavorite, listTags, createTag, tagFile, untagFile, findByTag,
		listComments, createComment, updateComment, deleteComment,
	},
	Resources: []tool.ResourceOf[*api.Client]{fileResource},
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
	URL      string `json:"url,omitempty"`
}

func item(e *api.Entry) Item {
	return Item{
		Path: e.Path, Folder: e.Folder, Size: max(e.Size, 0), Type: e.Type, Modified: timestamp(e.Modified),
		ETag: e.ETag, FileID: e.FileID, Favorite: e.Favorite, URL: e.URL,
	}
}

func items(entries []api.Entry) []Item {
	out := make([]Item, 0, len(entries))
	for i := range entries {
		out = append(out, item(&entries[i]))
	}
	return out
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
		if _, err := api.Clean(path); err != nil {
			return tool.Invalidf("The path %.200q cannot be used: %s.", path, api.Reason(err))
		}
	}
	return tool.CheckPath(ctx, paths...)
}

// allowAll is allow for what is done to folders with all that is in them.
func allowAll(ctx context.Context, files *api.Client, paths ...string) error {
	if err := allow(ctx, files, paths...); err != nil {
		return err
	}
	return tool.CheckTree(ctx, paths...)
}

// keep says which entries of listings the connection may see.
func keep(ctx context.Context) (api.Filter, error) {
	shown, err := tool.PathFilter(ctx)
	if err != nil {
		return nil, err
	}
	return func(e *api.Entry) bool { return shown(e.Path) }, nil
}

// scoped is the folder to search in, and what of it may be seen. Without a
// folder, a connection that is limited to one searches there.
func scoped(ctx context.Context, files *api.Client, folder string) (string, api.Filter, error) {
	filter, err := keep(ctx)
	if err != nil {
		return "", nil, err
	}
	if strings.Trim(folder, "/") == "" {
		if allowed := tool.Policy(ctx).Folders; len(allowed) == 1 {
			return allowed[0], filter, nil
		}
		return "/", filter, nil
	}
	if err := allow(ctx, files, folder); err != nil {
		return "", nil, err
	}
	return folder, filter, nil
}
