package files

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// FavoriteInput is the input of nc_webdav_set_favorite.
type FavoriteInput struct {
	Path     string `json:"path" jsonschema:"file or folder"`
	Favorite bool   `json:"favorite" jsonschema:"false takes it away"`
}

// Favorite is the outcome of nc_webdav_set_favorite.
type Favorite struct {
	Path     string `json:"path"`
	Favorite bool   `json:"is_favorite"`
}

var setFavorite = tool.New(tool.Def{
	Name:        "nc_webdav_set_favorite",
	Title:       "Mark as a favorite",
	Description: "Mark a file or folder as a favorite, or unmark it.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in FavoriteInput) (*Favorite, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	if err := files.SetFavorite(ctx, in.Path, in.Favorite); err != nil {
		return nil, err
	}
	return &Favorite{in.Path, in.Favorite}, nil
})
