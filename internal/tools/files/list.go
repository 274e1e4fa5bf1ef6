package files

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Sort is the order of a folder's listing.
type Sort string

// Values implements tool.Enum.
func (Sort) Values() []string { return []string{"name", "modified", "size"} }

func (s Sort) order() api.Order {
	if s == "" {
		return api.ByName
	}
	return api.Order(s)
}

// ListInput is the input of nc_webdav_list_directory.
type ListInput struct {
	Path   string `json:"path,omitempty" jsonschema:"folder, default the root"`
	Sort   Sort   `json:"sort,omitempty" jsonschema:"default name"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 100, at most 500"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Listing is the outcome of nc_webdav_list_directory. The counts are of the
// whole folder.
type Listing struct {
	Path        string `json:"path"`
	Items       []Item `json:"items"`
	TotalCount  int    `json:"total_count"`
	Directories int    `json:"directories_count"`
	Files       int    `json:"files_count"`
	TotalSize   int64  `json:"total_size"`
	NextCursor  string `json:"next_cursor,omitempty"`
}

var list = tool.New(tool.Def{
	Name:        "nc_webdav_list_directory",
	Title:       "List a folder",
	Description: "List the files and folders in a folder.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in ListInput) (*Listing, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	filter, err := keep(ctx)
	if err != nil {
		return nil, err
	}
	l, err := files.List(ctx, in.Path, api.ListQuery{Order: in.Sort.order(), Limit: in.Limit, Cursor: in.Cursor, Keep: filter})
	if err != nil {
		return nil, err
	}
	return &Listing{
		Path: l.Folder.Path, Items: items(l.Entries), TotalCount: l.Files + l.Folders,
		Directories: l.Folders, Files: l.Files, TotalSize: l.Size, NextCursor: l.Next,
	}, nil
})

func checkLimit(limit int) error {
	if limit < 0 || limit > api.MaxLimit {
		return tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	return nil
}

// TreeInput is the input of nc_webdav_list_tree.
type TreeInput struct {
	Path  string `json:"path,omitempty" jsonschema:"folder, default the root"`
	Depth int    `json:"depth,omitempty" jsonschema:"levels below it, default 2, at most 10"`
	Limit int    `json:"limit,omitempty" jsonschema:"folders, default 200, at most 1000"`
}

// Branch is a folder of a tree with the size of all that is in it.
type Branch struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified string `json:"last_modified,omitempty"`
}

// Forest is the outcome of nc_webdav_list_tree.
type Forest struct {
	Path   string   `json:"path"`
	Size   int64    `json:"size"`
	Items  []Branch `json:"items"`
	Deeper bool     `json:"deeper_folders,omitempty"` // below what is shown
	More   bool     `json:"truncated,omitempty"`
}

var tree = tool.New(tool.Def{
	Name:        "nc_webdav_list_tree",
	Title:       "Folder tree",
	Description: "List the folders below a folder, with the size of what is in them.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TreeInput) (*Forest, error) {
	if in.Depth == 0 {
		in.Depth = 2
	}
	if in.Depth < 1 || in.Depth > 10 || in.Limit < 0 || in.Limit > api.MaxTree {
		return nil, tool.Invalidf("depth has to be between 1 and 10, limit between 1 and %d", api.MaxTree)
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	filter, err := keep(ctx)
	if err != nil {
		return nil, err
	}
	t, err := files.Tree(ctx, in.Path, in.Depth, in.Limit, filter)
	if err != nil {
		return nil, err
	}
	out := &Forest{Path: t.Root.Path, Size: max(t.Root.Size, 0), Items: []Branch{}, Deeper: t.Deeper, More: t.More}
	for _, f := range t.Folders {
		out.Items = append(out.Items, Branch{f.Path, max(f.Size, 0), timestamp(f.Modified)})
	}
	return out, nil
})
