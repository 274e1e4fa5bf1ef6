package files

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// maxWrite is the largest content of one call, in bytes.
const maxWrite = 50 << 20

// WriteInput is the input of nc_webdav_write_file.
type WriteInput struct {
	Path          string `json:"path" jsonschema:"file"`
	Content       string `json:"content" jsonschema:"text, or base64 when content_type says base64"`
	ContentType   string `json:"content_type,omitempty" jsonschema:"media type, default by name"`
	IfMatch       string `json:"if_match,omitempty" jsonschema:"etag of the version to replace, * for any"`
	CreateParents bool   `json:"create_parents,omitempty" jsonschema:"make missing folders"`
}

// Saved is what a file is after it was written. Its content is not repeated.
type Saved struct {
	Path    string `json:"path,omitempty"`
	Created bool   `json:"created,omitempty"`
	Size    int64  `json:"size,omitempty"`
	ETag    string `json:"etag,omitempty"`
	FileID  int64  `json:"file_id,omitempty"`
	URL     string `json:"url,omitempty"`
	Undo    string `json:"undo,omitempty"`
}

func saved(w *api.Written, err error) (*Saved, error) {
	if err != nil {
		return nil, err
	}
	s := &Saved{Path: w.Path, Created: w.Created, Size: max(w.Size, 0), ETag: w.ETag, FileID: w.FileID, URL: w.URL}
	if !w.Created {
		s.Undo = "The content before is among the file's versions, unless an administrator has switched them off."
	}
	return s, nil
}

// guarded is the guard that an if_match says: an etag, * for what is there, or
// nothing for a new file.
func guarded(ifMatch string) api.Guard {
	if ifMatch == "*" {
		return api.Guard{Existing: true}
	}
	return api.Guard{ETag: ifMatch}
}

var write = tool.New(tool.Def{
	Name:        "nc_webdav_write_file",
	Title:       "Write a file",
	Description: "Create a file. It replaces one only with if_match.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in WriteInput) (*Saved, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	data, mediaType := []byte(in.Content), in.ContentType
	if strings.Contains(strings.ToLower(mediaType), "base64") {
		mediaType = strings.TrimSuffix(strings.TrimSpace(mediaType[:strings.Index(strings.ToLower(mediaType), "base64")]), ";")
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(in.Content), "")); err != nil {
			return nil, tool.Invalidf("content is no base64: nothing was written. It may have been cut short.")
		}
	}
	if len(data) > maxWrite {
		return nil, tool.Invalidf("content has %d bytes, and more than %d cannot be written at once: nc_webdav_upload_file takes larger files", len(data), maxWrite)
	}
	return saved(files.Write(ctx, in.Path, bytes.NewReader(data), int64(len(data)), guarded(in.IfMatch),
		&api.WriteOptions{Type: mediaType, Parents: in.CreateParents}))
})

// EditInput is the input of nc_webdav_edit_file.
type EditInput struct {
	Path       string  `json:"path" jsonschema:"text file"`
	OldText    string  `json:"old_text,omitempty" jsonschema:"exact passage, there once"`
	NewText    *string `json:"new_text,omitempty" jsonschema:"in its place"`
	ReplaceAll bool    `json:"replace_all,omitempty" jsonschema:"wherever it is"`
	Patch      string  `json:"patch,omitempty" jsonschema:"unified diff instead"`
	ETag       string  `json:"etag,omitempty" jsonschema:"refuse if it differs"`
}

var edit = tool.New(tool.Def{
	Name:        "nc_webdav_edit_file",
	Title:       "Edit a text file",
	Description: "Replace a passage of a text file, or apply a patch. All else stays.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in EditInput) (*Saved, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	var change func(string) (string, error)
	switch {
	case in.Patch != "" && in.OldText == "" && in.NewText == nil:
		change = api.Patch(in.Patch)
	case in.Patch == "" && in.OldText != "" && in.NewText != nil:
		change = api.Replace(in.OldText, *in.NewText, in.ReplaceAll)
	default:
		return nil, tool.Invalidf("give either old_text and new_text, or a patch")
	}
	return saved(files.Edit(ctx, in.Path, in.ETag, change))
})

// AppendInput is the input of nc_webdav_append_file.
type AppendInput struct {
	Path    string `json:"path" jsonschema:"text file"`
	Content string `json:"content" jsonschema:"lines to add"`
}

var appendText = tool.New(tool.Def{
	Name:        "nc_webdav_append_file",
	Title:       "Append to a text file",
	Description: "Add lines at the end of a text file.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in AppendInput) (*Saved, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	return saved(files.Append(ctx, in.Path, in.Content))
})

// FolderInput is the input of nc_webdav_create_directory.
type FolderInput struct {
	Path          string `json:"path" jsonschema:"folder"`
	CreateParents bool   `json:"create_parents,omitempty" jsonschema:"make missing folders above it"`
}

// Folder is the outcome of nc_webdav_create_directory.
type Folder struct {
	Path    string `json:"path"`
	Created bool   `json:"created"`
	Note    string `json:"note,omitempty"`
}

var makeFolder = tool.New(tool.Def{
	Name:        "nc_webdav_create_directory",
	Title:       "Create a folder",
	Description: "Create a folder.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in FolderInput) (*Folder, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	made, err := files.MakeFolder(ctx, in.Path, in.CreateParents)
	if err != nil {
		return nil, err
	}
	out := &Folder{Path: in.Path, Created: made}
	if !made {
		out.Note = "It was there already."
	}
	return out, nil
})
