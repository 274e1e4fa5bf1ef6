package files

import (
	"context"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Kind is what a search looks for.
type Kind string

// Values implements tool.Enum.
func (Kind) Values() []string { return []string{"any", "file", "folder"} }

func (k Kind) kind() api.Kind {
	if k == "any" {
		return api.Anything
	}
	return api.Kind(k)
}

// SearchSort is the order of a search.
type SearchSort string

// Values implements tool.Enum.
func (SearchSort) Values() []string { return []string{"modified", "name", "size"} }

// SearchInput is the input of nc_webdav_search_files.
type SearchInput struct {
	Scope          string     `json:"scope,omitempty" jsonschema:"folder to search in, default all"`
	NamePattern    string     `json:"name_pattern,omitempty" jsonschema:"part of the name, or with * and ?"`
	MIMEType       string     `json:"mime_type,omitempty" jsonschema:"such as image/ or application/pdf"`
	Kind           Kind       `json:"kind,omitempty" jsonschema:"default any"`
	OnlyFavorites  bool       `json:"only_favorites,omitempty" jsonschema:"only favorites"`
	MinSize        int64      `json:"min_size,omitempty" jsonschema:"bytes"`
	MaxSize        int64      `json:"max_size,omitempty" jsonschema:"bytes"`
	ModifiedAfter  string     `json:"modified_after,omitempty" jsonschema:"date or RFC 3339"`
	ModifiedBefore string     `json:"modified_before,omitempty" jsonschema:"date or RFC 3339"`
	Sort           SearchSort `json:"sort,omitempty" jsonschema:"default modified, newest first"`
	Limit          int        `json:"limit,omitempty" jsonschema:"default 100, at most 500"`
	Cursor         string     `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Found is the outcome of the searches.
type Found struct {
	Scope      string `json:"scope"`
	Items      []Item `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

func find(ctx context.Context, files *api.Client, q api.Query) (*Found, error) {
	if err := checkLimit(q.Limit); err != nil {
		return nil, err
	}
	var err error
	if q.Scope, q.Keep, err = scoped(ctx, files, q.Scope); err != nil {
		return nil, err
	}
	found, err := files.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	return &Found{q.Scope, items(found.Entries), found.Next}, nil
}

var search = tool.New(tool.Def{
	Name:        "nc_webdav_search_files",
	Title:       "Search files",
	Description: "Find files and folders by name, type, size and date. All given conditions have to hold.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"scope"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in SearchInput) (*Found, error) {
	if in.MinSize < 0 || in.MaxSize < 0 {
		return nil, tool.Invalidf("sizes cannot be negative")
	}
	q := api.Query{
		Scope: in.Scope, Name: in.NamePattern, Type: in.MIMEType, Kind: in.Kind.kind(), Favorite: in.OnlyFavorites,
		MinSize: in.MinSize, MaxSize: in.MaxSize, Order: api.Order(in.Sort), Limit: in.Limit, Cursor: in.Cursor,
	}
	var err error
	if q.After, err = moment("modified_after", in.ModifiedAfter); err != nil {
		return nil, err
	}
	if q.Before, err = moment("modified_before", in.ModifiedBefore); err != nil {
		return nil, err
	}
	return find(ctx, files, q)
})

// moment reads a date or a time; a date begins in UTC.
func moment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, tool.Invalidf("%s has to be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z", name)
}

// NameInput is the input of nc_webdav_find_by_name.
type NameInput struct {
	Pattern string `json:"pattern" jsonschema:"part of the name, or with * and ?"`
	Scope   string `json:"scope,omitempty" jsonschema:"folder, default all"`
	Limit   int    `json:"limit,omitempty" jsonschema:"default 100"`
	Cursor  string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var findByName = tool.New(tool.Def{
	Name:        "nc_webdav_find_by_name",
	Title:       "Find files by name",
	Description: "Find files and folders by name.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"scope"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in NameInput) (*Found, error) {
	return find(ctx, files, api.Query{Name: in.Pattern, Scope: in.Scope, Limit: in.Limit, Cursor: in.Cursor})
})

// TypeInput is the input of nc_webdav_find_by_type.
type TypeInput struct {
	MIMEType string `json:"mime_type" jsonschema:"such as image/ or application/pdf"`
	Scope    string `json:"scope,omitempty" jsonschema:"folder, default all"`
	Limit    int    `json:"limit,omitempty" jsonschema:"default 100"`
	Cursor   string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var findByType = tool.New(tool.Def{
	Name:        "nc_webdav_find_by_type",
	Title:       "Find files by type",
	Description: "Find files by media type.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"scope"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in TypeInput) (*Found, error) {
	if in.MIMEType == "" {
		return nil, tool.Invalidf("mime_type is needed, such as image/ or application/pdf")
	}
	return find(ctx, files, api.Query{Type: in.MIMEType, Scope: in.Scope, Limit: in.Limit, Cursor: in.Cursor})
})

// FavoritesInput is the input of nc_webdav_list_favorites.
type FavoritesInput struct {
	Scope  string `json:"scope,omitempty" jsonschema:"folder, default all"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 100"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var favorites = tool.New(tool.Def{
	Name:        "nc_webdav_list_favorites",
	Title:       "List favorite files",
	Description: "List the person's favorite files and folders.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"scope"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in FavoritesInput) (*Found, error) {
	return find(ctx, files, api.Query{Favorite: true, Scope: in.Scope, Limit: in.Limit, Cursor: in.Cursor})
})

// RecentInput is the input of nc_webdav_list_recent_files.
type RecentInput struct {
	Days   int    `json:"days,omitempty" jsonschema:"default 14"`
	Scope  string `json:"scope,omitempty" jsonschema:"folder, default all"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 20"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

const day = 24 * time.Hour

var recent = tool.New(tool.Def{
	Name:        "nc_webdav_list_recent_files",
	Title:       "List recent files",
	Description: "List the files that changed last, newest first.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"scope"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in RecentInput) (*Found, error) {
	if in.Days == 0 {
		in.Days = 14
	}
	if in.Days < 0 || in.Days > 3660 {
		return nil, tool.Invalidf("days has to be between 1 and 3660")
	}
	if in.Limit == 0 {
		in.Limit = 20
	}
	// From midnight on, so that the next page asks the same.
	after := time.Now().UTC().Truncate(day).Add(-time.Duration(in.Days) * day)
	return find(ctx, files, api.Query{Kind: api.Files, After: after, Scope: in.Scope, Limit: in.Limit, Cursor: in.Cursor})
})
