package notes

import (
	"context"
	"strings"
	"unicode/utf8"

	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// SearchInput is the input of nc_notes_search_notes.
type SearchInput struct {
	Query    string `json:"query" jsonschema:"words that must all occur, empty lists all"`
	Category string `json:"category,omitempty" jsonschema:"only this folder and below"`
	Limit    int    `json:"limit,omitempty" jsonschema:"default 20, at most 100"`
	Cursor   string `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
}

// Found is the outcome of nc_notes_search_notes.
type Found struct {
	Items      []Item        `json:"items"`
	Total      int           `json:"total"`
	NextCursor string        `json:"next_cursor,omitempty"`
	Partial    string        `json:"partial,omitempty"`
	Skipped    []api.Skipped `json:"skipped,omitempty"`
}

// Item is one note that was found.
type Item struct {
	ID       int64  `json:"id"`
	Title    string `json:"title"`
	Category string `json:"category,omitempty"`
	Modified string `json:"modified"`
	Favorite bool   `json:"favorite,omitempty"`
	Snippet  string `json:"snippet,omitempty"`
	Score    int    `json:"score,omitempty"`
}

var search = tool.New(tool.Def{
	Name:        "nc_notes_search_notes",
	Title:       "Search notes",
	Description: "Find notes by words in title, folder or text, best first.",
	Scope:       scope.NotesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, notes *api.Client, in SearchInput) (*Found, error) {
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	q := api.Query{Text: in.Query, Category: in.Category, Limit: in.Limit, Cursor: in.Cursor}
	if tool.Hiding(ctx) {
		filter, err := tool.HiddenFilter(ctx)
		if err != nil {
			return nil, err
		}
		q.Keep = func(n *api.Note) bool { return n.Path != "" && filter(n.Path) }
	}
	found, err := notes.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &Found{Items: []Item{}, Total: found.Total, NextCursor: found.Next, Partial: found.Partial, Skipped: found.Skipped}
	for _, h := range found.Hits {
		out.Items = append(out.Items, Item{
			ID: h.Note.ID, Title: h.Note.Title, Category: h.Note.Category, Modified: timestamp(h.Note.Modified),
			Favorite: h.Note.Favorite, Snippet: h.Snippet, Score: h.Score,
		})
	}
	return out, nil
})

// defaultMaxChars is how much of a note comes at once, in characters.
const defaultMaxChars = 20_000

// GetInput is the input of nc_notes_get_note.
type GetInput struct {
	NoteID   int64 `json:"note_id" jsonschema:"note id"`
	MaxChars int   `json:"max_chars,omitempty" jsonschema:"of the content, default 20000"`
	Offset   int   `json:"offset,omitempty" jsonschema:"first character of the content"`
}

// Full is a note with its content, or with a part of it.
type Full struct {
	ID         int64  `json:"id,omitempty"`
	Title      string `json:"title,omitempty"`
	Category   string `json:"category,omitempty"`
	Content    string `json:"content"`
	Modified   string `json:"modified,omitempty"`
	Favorite   bool   `json:"favorite,omitempty"`
	ReadOnly   bool   `json:"readonly,omitempty"`
	ETag       string `json:"etag,omitempty"`
	URL        string `json:"url,omitempty"`
	Truncated  bool   `json:"truncated,omitempty"`
	NextOffset int    `json:"next_offset,omitempty"`
	TotalChars int    `json:"total_chars,omitempty"`
}

func full(n *api.Note) *Full {
	return &Full{
		ID: n.ID, Title: n.Title, Category: n.Category, Content: n.Content, Modified: timestamp(n.Modified),
		Favorite: n.Favorite, ReadOnly: n.ReadOnly, ETag: n.ETag, URL: n.URL,
	}
}

var get = tool.New(tool.Def{
	Name:        "nc_notes_get_note",
	Title:       "Read a note",
	Description: "Read a note. If truncated, go on at next_offset before replacing its content.",
	Scope:       scope.NotesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"note_id"},
}, func(ctx context.Context, notes *api.Client, in GetInput) (*Full, error) {
	if in.MaxChars < 0 || in.Offset < 0 {
		return nil, tool.Invalidf("max_chars and offset cannot be negative")
	}
	got, err := notes.Get(ctx, in.NoteID)
	n, err := shown(ctx, got, err)
	if err != nil {
		return nil, err
	}
	return window(full(n), in.Offset, in.MaxChars)
})

// window leaves size characters of the content from offset on, and says so
// when that is not all of it.
func window(f *Full, offset, size int) (*Full, error) {
	if size == 0 {
		size = defaultMaxChars
	}
	total := utf8.RuneCountInString(f.Content)
	switch {
	case offset > total:
		return nil, tool.Invalidf("offset %d is beyond the end: the content has %d characters", offset, total)
	case offset == 0 && size >= total:
		return f, nil
	}
	f.TotalChars = total
	rest := f.Content[runes(f.Content, offset):]
	f.Content = rest[:runes(rest, size)]
	if size < total-offset {
		f.Truncated, f.NextOffset = true, offset+size
	}
	// The part must not keep the whole note alive.
	f.Content = strings.Clone(f.Content)
	return f, nil
}

// runes is the length in bytes of the first n characters of s.
func runes(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
