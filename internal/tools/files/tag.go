package files

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Tag is a tag that all people of the server share.
type Tag struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	ReadOnly bool   `json:"not_assignable,omitempty"`
}

// Tags is the outcome of nc_webdav_list_tags.
type Tags struct {
	Items []Tag `json:"items"`
}

var listTags = tool.New(tool.Def{
	Name:        "nc_webdav_list_tags",
	Title:       "List tags of files",
	Description: "List the tags that files can have, shared by all people of the server.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Folders:     true,
}, func(ctx context.Context, files *api.Client, _ struct{}) (*Tags, error) {
	all, err := files.Tags(ctx)
	if err != nil {
		return nil, err
	}
	out := &Tags{Items: []Tag{}}
	for _, t := range all {
		if !tool.HidesTag(ctx, t.Name) {
			out.Items = append(out.Items, Tag{t.ID, t.Name, !t.Assignable})
		}
	}
	return out, nil
})

// CreateTagInput is the input of nc_webdav_create_tag.
type CreateTagInput struct {
	Name string `json:"name" jsonschema:"name"`
}

// CreatedTag is the outcome of nc_webdav_create_tag.
type CreatedTag struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Note string `json:"note"`
}

var createTag = tool.New(tool.Def{
	Name:        "nc_webdav_create_tag",
	Title:       "Create a tag",
	Description: "Create a tag for files, which all people of the server see.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Complete,
	Object:      []string{"name"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in CreateTagInput) (*CreatedTag, error) {
	if tool.HidesTag(ctx, in.Name) {
		return nil, hiddenTag(in.Name)
	}
	t, err := files.CreateTag(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &CreatedTag{t.ID, t.Name, "Only an administrator can delete it again."}, nil
})

func hiddenTag(name string) error {
	return tool.Invalidf("The tag %.100q keeps files from assistants, so only people can set it or take it away.", name)
}

// TagInput is the input of nc_webdav_tag_file and nc_webdav_untag_file.
type TagInput struct {
	Path string `json:"path" jsonschema:"file or folder"`
	Tag  string `json:"tag" jsonschema:"name or id"`
}

// TagChanged is the outcome of nc_webdav_tag_file and nc_webdav_untag_file.
type TagChanged struct {
	Path    string `json:"path"`
	Tag     string `json:"tag"`
	Changed bool   `json:"changed"`
}

func changeTag(ctx context.Context, files *api.Client, in TagInput, change func(context.Context, string, *api.Tag) (bool, error)) (*TagChanged, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	t, err := files.Tag(ctx, "find the tag", in.Tag)
	if err != nil {
		return nil, err
	}
	if tool.HidesTag(ctx, t.Name) {
		return nil, hiddenTag(t.Name)
	}
	changed, err := change(ctx, in.Path, t)
	if err != nil {
		return nil, err
	}
	return &TagChanged{in.Path, t.Name, changed}, nil
}

var tagFile = tool.New(tool.Def{
	Name:        "nc_webdav_tag_file",
	Title:       "Tag a file",
	Description: "Put a tag on a file or folder.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"path", "tag"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TagInput) (*TagChanged, error) {
	return changeTag(ctx, files, in, files.Assign)
})

var untagFile = tool.New(tool.Def{
	Name:        "nc_webdav_untag_file",
	Title:       "Untag a file",
	Description: "Take a tag from a file or folder.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"path", "tag"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TagInput) (*TagChanged, error) {
	return changeTag(ctx, files, in, files.Unassign)
})

// FindByTagInput is the input of nc_webdav_find_by_tag.
type FindByTagInput struct {
	Tags   []string `json:"tags" jsonschema:"names or ids, all of them have to be there"`
	Sort   Sort     `json:"sort,omitempty" jsonschema:"default name"`
	Limit  int      `json:"limit,omitempty" jsonschema:"default 100, at most 500"`
	Cursor string   `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Tagged is the outcome of nc_webdav_find_by_tag.
type Tagged struct {
	Items      []Item `json:"items"`
	TotalCount int    `json:"total_count"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// maxTags bounds the tags of one search.
const maxTags = 10

var findByTag = tool.New(tool.Def{
	Name:        "nc_webdav_find_by_tag",
	Title:       "Find files by tag",
	Description: "Find the files and folders that carry all of the tags.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in FindByTagInput) (*Tagged, error) {
	if err := checkLimit(in.Limit); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 || len(in.Tags) > maxTags {
		return nil, tool.Invalidf("give 1 to %d tags", maxTags)
	}
	filter, err := keep(ctx)
	if err != nil {
		return nil, err
	}
	var tags []*api.Tag
	for _, name := range in.Tags {
		t, err := files.Tag(ctx, "find the tag", name)
		if err != nil {
			return nil, err
		}
		if tool.HidesTag(ctx, t.Name) {
			return nil, hiddenTag(t.Name)
		}
		tags = append(tags, t)
	}
	l, err := files.Tagged(ctx, api.ListQuery{Order: in.Sort.order(), Limit: in.Limit, Cursor: in.Cursor, Keep: filter}, tags...)
	if err != nil {
		return nil, err
	}
	return &Tagged{Items: items(l.Entries), TotalCount: l.Files + l.Folders, NextCursor: l.Next}, nil
})
