package files

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// FileInput is the input of tools about one file.
type FileInput struct {
	Path string `json:"path" jsonschema:"file"`
}

// Version is a content that a file has or had.
type Version struct {
	Version  string `json:"version"`
	Modified string `json:"last_modified"`
	Size     int64  `json:"size"`
	Label    string `json:"label,omitempty"`
	Author   string `json:"author,omitempty"`
	Current  bool   `json:"is_current,omitempty"`
}

// Versions is the outcome of nc_webdav_list_versions.
type Versions struct {
	Path  string    `json:"path"`
	Items []Version `json:"items"`
}

var listVersions = tool.New(tool.Def{
	Name:        "nc_webdav_list_versions",
	Title:       "List versions of a file",
	Description: "List what a file was before, newest first.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in FileInput) (*Versions, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	found, e, err := files.Versions(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	out := &Versions{Path: e.Path, Items: []Version{}}
	for _, v := range found {
		out.Items = append(out.Items, Version{v.ID, timestamp(v.Modified), max(v.Size, 0), v.Label, v.Author, v.Current})
	}
	return out, nil
})

// ReadVersionInput is the input of nc_webdav_read_version.
type ReadVersionInput struct {
	Path     string `json:"path" jsonschema:"file"`
	Version  string `json:"version" jsonschema:"of nc_webdav_list_versions"`
	Offset   int64  `json:"offset,omitempty" jsonschema:"first byte, see next_offset"`
	MaxBytes int64  `json:"max_bytes,omitempty" jsonschema:"default 50000, at most 1048576"`
}

var readVersion = tool.New(tool.Def{
	Name:        "nc_webdav_read_version",
	Title:       "Read a version of a file",
	Description: "Read what a file was before, large text in parts.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path", "version"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in ReadVersionInput) (*Read, error) {
	if in.Offset < 0 || in.MaxBytes < 0 || in.MaxBytes > maxText {
		return nil, tool.Invalidf("offset cannot be negative, max_bytes has to be between 1 and %d", maxText)
	}
	if in.MaxBytes == 0 {
		in.MaxBytes = defaultText
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	f, err := files.OpenVersion(ctx, in.Path, in.Version, in.Offset)
	if err != nil {
		return nil, err
	}
	defer f.Body.Close()
	return readOpen(ctx, files, ReadInput{Path: in.Path, Offset: in.Offset, MaxBytes: in.MaxBytes}, f)
})

// VersionInput is the input of nc_webdav_restore_version.
type VersionInput struct {
	Path    string `json:"path" jsonschema:"file"`
	Version string `json:"version" jsonschema:"of nc_webdav_list_versions"`
}

// RestoredVersion is the outcome of nc_webdav_restore_version.
type RestoredVersion struct {
	Path string `json:"path"`
	Note string `json:"note,omitempty"`
	Undo string `json:"undo,omitempty"`
}

var restoreVersion = tool.New(tool.Def{
	Name:        "nc_webdav_restore_version",
	Title:       "Restore a version of a file",
	Description: "Make a file what it was before. What it is now stays as a version.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"path", "version"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in VersionInput) (*RestoredVersion, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	replaced, err := files.RestoreVersion(ctx, in.Path, in.Version)
	if err != nil {
		return nil, err
	}
	if replaced == "" {
		return &RestoredVersion{Path: in.Path, Note: "This is the current version: nothing was changed."}, nil
	}
	return &RestoredVersion{Path: in.Path, Undo: fmt.Sprintf("nc_webdav_restore_version with version %s brings back what was replaced.", replaced)}, nil
})

// LabelInput is the input of nc_webdav_label_version.
type LabelInput struct {
	Path    string `json:"path" jsonschema:"file"`
	Version string `json:"version" jsonschema:"of nc_webdav_list_versions"`
	Label   string `json:"label" jsonschema:"empty takes it away"`
}

// Labelled is the outcome of nc_webdav_label_version.
type Labelled struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Label   string `json:"label,omitempty"`
}

var labelVersion = tool.New(tool.Def{
	Name:        "nc_webdav_label_version",
	Title:       "Label a version of a file",
	Description: "Name a version of a file. Nextcloud keeps versions with a name.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"path", "version"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in LabelInput) (*Labelled, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	if err := files.LabelVersion(ctx, in.Path, in.Version, in.Label); err != nil {
		return nil, err
	}
	return &Labelled{in.Path, in.Version, in.Label}, nil
})
