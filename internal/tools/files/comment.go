package files

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// CommentsInput is the input of nc_webdav_list_comments.
type CommentsInput struct {
	Path   string `json:"path" jsonschema:"file or folder"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 20, at most 200"`
	Offset int    `json:"offset,omitempty" jsonschema:"see next_offset"`
}

// Comment is what somebody wrote about a file.
type Comment struct {
	ID      int64  `json:"id"`
	Message string `json:"message"`
	ActorID string `json:"actor_id"`
	Actor   string `json:"actor_display_name,omitempty"`
	Created string `json:"creation_datetime,omitempty"`
	Unread  bool   `json:"is_unread,omitempty"`
}

// Comments is the outcome of nc_webdav_list_comments.
type Comments struct {
	Path       string    `json:"path"`
	FileID     int64     `json:"file_id"`
	Items      []Comment `json:"items"`
	NextOffset int       `json:"next_offset,omitempty"`
}

const maxComments = 200

var listComments = tool.New(tool.Def{
	Name:        "nc_webdav_list_comments",
	Title:       "List comments on a file",
	Description: "List the comments on a file or folder, newest first.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in CommentsInput) (*Comments, error) {
	if in.Limit < 0 || in.Limit > maxComments || in.Offset < 0 {
		return nil, tool.Invalidf("limit has to be between 1 and %d, and offset cannot be negative", maxComments)
	}
	if in.Limit == 0 {
		in.Limit = 20
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	// One more tells whether there are more.
	found, e, err := files.Comments(ctx, in.Path, in.Limit+1, in.Offset)
	if err != nil {
		return nil, err
	}
	out := &Comments{Path: e.Path, FileID: e.FileID, Items: []Comment{}}
	if len(found) > in.Limit {
		found, out.NextOffset = found[:in.Limit], in.Offset+in.Limit
	}
	for _, c := range found {
		out.Items = append(out.Items, Comment{c.ID, c.Message, c.ActorID, c.Actor, timestamp(c.Created), c.Unread})
	}
	return out, nil
})

// CreateCommentInput is the input of nc_webdav_create_comment.
type CreateCommentInput struct {
	Path    string `json:"path" jsonschema:"file or folder"`
	Message string `json:"message" jsonschema:"at most 1000 characters"`
}

// SavedComment is the outcome of nc_webdav_create_comment and
// nc_webdav_update_comment.
type SavedComment struct {
	Path      string `json:"path"`
	CommentID int64  `json:"comment_id"`
	Undo      string `json:"undo"`
}

var createComment = tool.New(tool.Def{
	Name:        "nc_webdav_create_comment",
	Title:       "Comment on a file",
	Description: "Write a comment on a file or folder, for all who can see it.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in CreateCommentInput) (*SavedComment, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	c, e, err := files.Comment(ctx, in.Path, in.Message)
	if err != nil {
		return nil, err
	}
	return &SavedComment{e.Path, c.ID, fmt.Sprintf("Delete it: nc_webdav_delete_comment %s, comment_id %d.", e.Path, c.ID)}, nil
})

// UpdateCommentInput is the input of nc_webdav_update_comment.
type UpdateCommentInput struct {
	Path      string `json:"path" jsonschema:"file or folder"`
	CommentID int64  `json:"comment_id" jsonschema:"comment"`
	Message   string `json:"message" jsonschema:"replaces all, at most 1000 characters"`
}

var updateComment = tool.New(tool.Def{
	Name:        "nc_webdav_update_comment",
	Title:       "Edit a comment on a file",
	Description: "Change a comment that the person wrote.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"path", "comment_id"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in UpdateCommentInput) (*SavedComment, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	old, err := files.EditComment(ctx, in.Path, in.CommentID, in.Message)
	if err != nil {
		return nil, err
	}
	return &SavedComment{in.Path, in.CommentID, fmt.Sprintf("Edit it again, it was: %q", old.Message)}, nil
})

// CommentInput is the input of nc_webdav_delete_comment.
type CommentInput struct {
	Path      string `json:"path" jsonschema:"file or folder"`
	CommentID int64  `json:"comment_id" jsonschema:"comment"`
}

// DeletedComment is the outcome of nc_webdav_delete_comment.
type DeletedComment struct {
	Path      string `json:"path"`
	DeletedID int64  `json:"deleted_id"`
	Undo      string `json:"undo"`
}

var deleteComment = tool.New(tool.Def{
	Name:        "nc_webdav_delete_comment",
	Title:       "Delete a comment on a file",
	Description: "Delete a comment that the person wrote.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Object:      []string{"path", "comment_id"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in CommentInput) (*DeletedComment, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	old, err := files.DeleteComment(ctx, in.Path, in.CommentID)
	if err != nil {
		return nil, err
	}
	return &DeletedComment{in.Path, in.CommentID, fmt.Sprintf("Not in the trash. nc_webdav_create_comment writes it anew, it was: %q", old.Message)}, nil
})
