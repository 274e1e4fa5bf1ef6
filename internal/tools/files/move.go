package files

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// TransferInput is the input of nc_webdav_move_resource and
// nc_webdav_copy_resource.
type TransferInput struct {
	SourcePath         string `json:"source_path" jsonschema:"file or folder"`
	DestinationPath    string `json:"destination_path" jsonschema:"full new path with its name"`
	Overwrite          bool   `json:"overwrite,omitempty" jsonschema:"replace what is there"`
	IfDestinationMatch string `json:"if_destination_match,omitempty" jsonschema:"etag that is replaced"`
}

// Transferred is the outcome of nc_webdav_move_resource and
// nc_webdav_copy_resource.
type Transferred struct {
	SourcePath      string `json:"source_path"`
	DestinationPath string `json:"destination_path"`
	Replaced        bool   `json:"replaced,omitempty"`
	ETag            string `json:"etag,omitempty"`
	FileID          int64  `json:"file_id,omitempty"`
	URL             string `json:"url,omitempty"`
	Undo            string `json:"undo,omitempty"`
}

func transfer(ctx context.Context, files *api.Client, in TransferInput, copies bool) (*Transferred, error) {
	if err := allowAll(ctx, files, in.SourcePath, in.DestinationPath); err != nil {
		return nil, err
	}
	if in.IfDestinationMatch != "" && !in.Overwrite {
		return nil, tool.Invalidf("if_destination_match goes with overwrite")
	}
	w, err := files.Move(ctx, in.SourcePath, in.DestinationPath, api.Transfer{Copy: copies, Overwrite: in.Overwrite, ETag: in.IfDestinationMatch})
	if err != nil {
		return nil, err
	}
	out := &Transferred{
		SourcePath: in.SourcePath, DestinationPath: w.Path, Replaced: !w.Created,
		ETag: w.ETag, FileID: w.FileID, URL: w.URL,
	}
	if !copies {
		out.Undo = fmt.Sprintf("Move it back: nc_webdav_move_resource from %s to %s.", w.Path, in.SourcePath)
	} else {
		out.Undo = fmt.Sprintf("Delete the copy: nc_webdav_delete_resource %s.", w.Path)
	}
	if out.Replaced {
		out.Undo += " What was replaced is in the trash, unless an administrator has switched it off."
	}
	return out, nil
}

var move = tool.New(tool.Def{
	Name:        "nc_webdav_move_resource",
	Title:       "Move or rename",
	Description: "Move or rename a file or folder.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"source_path", "destination_path"},
	Folders:     true,
	Timeout:     longTransfer,
}, func(ctx context.Context, files *api.Client, in TransferInput) (*Transferred, error) {
	return transfer(ctx, files, in, false)
})

var duplicate = tool.New(tool.Def{
	Name:        "nc_webdav_copy_resource",
	Title:       "Copy",
	Description: "Copy a file or folder with all that is in it.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"source_path", "destination_path"},
	Folders:     true,
	Timeout:     longTransfer,
}, func(ctx context.Context, files *api.Client, in TransferInput) (*Transferred, error) {
	return transfer(ctx, files, in, true)
})

// DeleteInput is the input of nc_webdav_delete_resource.
type DeleteInput struct {
	Path string `json:"path" jsonschema:"file or folder"`
	ETag string `json:"etag,omitempty" jsonschema:"refuse if it differs"`
}

// Deleted is the outcome of nc_webdav_delete_resource.
type Deleted struct {
	Path      string `json:"path"`
	Folder    bool   `json:"was_directory,omitempty"`
	Size      int64  `json:"size,omitempty"`
	TrashItem string `json:"trash_item,omitempty"`
	Undo      string `json:"undo"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_webdav_delete_resource",
	Title:       "Delete a file or folder",
	Description: "Move a file, or a folder with all that is in it, to the trash.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
	Timeout:     longTransfer,
}, func(ctx context.Context, files *api.Client, in DeleteInput) (*Deleted, error) {
	if err := allowAll(ctx, files, in.Path); err != nil {
		return nil, err
	}
	d, err := files.Delete(ctx, in.Path, in.ETag)
	if err != nil {
		return nil, err
	}
	out := &Deleted{Path: d.Path, Folder: d.Folder, Size: max(d.Size, 0), TrashItem: d.Item}
	if d.Item != "" {
		out.Undo = fmt.Sprintf("nc_webdav_restore_trash_item with item %q brings it back.", d.Item)
		tool.Trashed(ctx, d.Item)
	} else {
		out.Undo = "It is not in this person's trash: the trash is off or does not hold such storage, or this was a share, which was only left and has to be shared again. Tell the person."
	}
	return out, nil
})
