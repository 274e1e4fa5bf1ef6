package files

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// TrashInput is the input of nc_webdav_list_trash.
type TrashInput struct {
	Limit  int    `json:"limit,omitempty" jsonschema:"default 100, at most 500"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// TrashItem is something in the trash.
type TrashItem struct {
	Item    string `json:"item"`
	Path    string `json:"original_path"`
	Folder  bool   `json:"is_directory,omitempty"`
	Size    int64  `json:"size"`
	Deleted string `json:"deleted"`
	By      string `json:"deleted_by,omitempty"`
}

// Trash is the outcome of nc_webdav_list_trash. The sums are of all items.
type Trash struct {
	Items      []TrashItem `json:"items"`
	TotalCount int         `json:"total_count"`
	TotalSize  int64       `json:"total_size"`
	NextCursor string      `json:"next_cursor,omitempty"`
	Note       string      `json:"note,omitempty"`
}

func trashItem(i *api.TrashItem) TrashItem {
	return TrashItem{Item: i.Item, Path: i.Path, Folder: i.Folder, Size: max(i.Size, 0), Deleted: timestamp(i.Deleted), By: i.By}
}

var listTrash = tool.New(tool.Def{
	Name:        "nc_webdav_list_trash",
	Title:       "List the trash",
	Description: "List deleted files and folders, newest first.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TrashInput) (*Trash, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	shown, err := tool.TrashFilter(ctx)
	if err != nil {
		return nil, err
	}
	page, err := files.Trash(ctx, api.TrashQuery{Limit: in.Limit, Cursor: in.Cursor, Keep: func(i *api.TrashItem) bool { return shown(i.Item, i.Path) }})
	if err != nil {
		return nil, err
	}
	out := &Trash{Items: []TrashItem{}, TotalCount: page.Total, TotalSize: page.Size, NextCursor: page.Next}
	for n := range page.Items {
		out.Items = append(out.Items, trashItem(&page.Items[n]))
	}
	if page.Hidden > 0 && tool.Hiding(ctx) {
		out.Note = "Only what was deleted here a short while ago is listed: the tags of older items cannot be checked. The person can restore those in Nextcloud."
	}
	return out, nil
})

// TrashItemInput is the input of the tools for one item of the trash.
type TrashItemInput struct {
	Item string `json:"item" jsonschema:"name in the trash, such as plan.md.d1795404354"`
}

// inTrash is an item that the connection may reach.
func inTrash(ctx context.Context, files *api.Client, item string) (*api.TrashItem, error) {
	i, err := files.TrashItem(ctx, item)
	if err != nil {
		return nil, err
	}
	shown, err := tool.TrashFilter(ctx)
	if err != nil {
		return nil, err
	}
	if !shown(i.Item, i.Path) {
		if err := tool.CheckPath(ctx, i.Path); err != nil {
			return nil, err
		}
		return nil, tool.Invalidf("Whether this server may show %q cannot be checked: Nextcloud does not tell the tags of deleted files. The person can restore it in Nextcloud under Files, Deleted files.", item)
	}
	return i, nil
}

// Restored is the outcome of nc_webdav_restore_trash_item.
type Restored struct {
	Path         string `json:"path,omitempty"`
	OriginalPath string `json:"original_path"`
	Note         string `json:"note,omitempty"`
	Undo         string `json:"undo,omitempty"`
}

var restoreTrash = tool.New(tool.Def{
	Name:        "nc_webdav_restore_trash_item",
	Title:       "Restore from the trash",
	Description: "Put a deleted file or folder back where it was.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"item"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TrashItemInput) (*Restored, error) {
	i, err := inTrash(ctx, files, in.Item)
	if err != nil {
		return nil, err
	}
	path, err := files.Restore(ctx, i)
	if err != nil {
		return nil, err
	}
	out := &Restored{Path: path, OriginalPath: i.Path}
	switch {
	case path == "":
		out.Note = "It is restored, but was not found again at once: look at the original path."
		return out, nil
	case path != i.Path:
		out.Note = "The original folder is gone or the name was taken, so Nextcloud put it here."
	}
	out.Undo = fmt.Sprintf("Delete it again: nc_webdav_delete_resource %s.", path)
	return out, nil
})

// Purged is the outcome of the tools that delete for good.
type Purged struct {
	Items        int    `json:"items"`
	OriginalPath string `json:"original_path,omitempty"`
	Size         int64  `json:"size"`
	Undo         string `json:"undo"`
}

const noUndo = "It cannot be undone."

var purgeTrash = tool.New(tool.Def{
	Name:        "nc_webdav_delete_trash_item",
	Title:       "Delete for good",
	Description: "Delete one item of the trash for good. Ask the person first.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Object:      []string{"item"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TrashItemInput) (*Purged, error) {
	i, err := inTrash(ctx, files, in.Item)
	if err != nil {
		return nil, err
	}
	if err := files.Purge(ctx, i.Item); err != nil {
		return nil, err
	}
	return &Purged{Items: 1, OriginalPath: i.Path, Size: max(i.Size, 0), Undo: noUndo}, nil
})

// EmptyTrashInput is the input of nc_webdav_empty_trash.
type EmptyTrashInput struct {
	TotalCount int `json:"total_count" jsonschema:"of nc_webdav_list_trash, so that nothing is deleted unseen"`
}

var emptyTrash = tool.New(tool.Def{
	Name:        "nc_webdav_empty_trash",
	Title:       "Empty the trash",
	Description: "Delete everything in the trash for good. Ask the person first.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in EmptyTrashInput) (*Purged, error) {
	if tool.Hiding(ctx) || len(tool.Policy(ctx).Folders) > 0 {
		return nil, tool.Invalidf("The trash holds what this connection may not reach, so it cannot be emptied as a whole. Delete single items with nc_webdav_delete_trash_item, or ask the person to empty it in Nextcloud.")
	}
	page, err := files.Trash(ctx, api.TrashQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	if page.Total != in.TotalCount {
		return nil, tool.Invalidf("The trash holds %d items now, not %d, and nothing was deleted. List it again and ask the person.", page.Total, in.TotalCount)
	}
	if page.Total > 0 {
		if err := files.EmptyTrash(ctx); err != nil {
			return nil, err
		}
	}
	return &Purged{Items: page.Total, Size: page.Size, Undo: noUndo}, nil
})
