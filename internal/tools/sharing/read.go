package sharing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Which says which shares a list is of.
type Which string

// Values are the kinds of lists.
func (Which) Values() []string { return []string{"by_me", "with_me", "pending", "left"} }

// ListInput is the input of nc_share_list.
type ListInput struct {
	Path         string `json:"path,omitempty" jsonschema:"only of this file or folder"`
	Which        Which  `json:"which,omitempty" jsonschema:"left: those of groups that the person removed"`
	SharedWithMe bool   `json:"shared_with_me,omitempty" jsonschema:"same as which with_me"`
	Below        bool   `json:"below,omitempty" jsonschema:"of what lies directly in the folder path"`
	Limit        int    `json:"limit,omitempty" jsonschema:"default 50, at most 200"`
	Cursor       string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

const (
	defaultLimit = 50
	maxLimit     = 200
)

// Page is the outcome of nc_share_list.
type Page struct {
	Items      []Item    `json:"items"`
	Total      int       `json:"total"`
	NextCursor string    `json:"next_cursor,omitempty"`
	Skipped    []Skipped `json:"skipped,omitempty"`
}

// Skipped is what could not be read.
type Skipped struct {
	ID  string `json:"id,omitempty"`
	Why string `json:"why"`
}

var list = tool.New(tool.Def{
	Name:        "nc_share_list",
	Title:       "List shares",
	Description: "List shares the person made (and others made of the person's files), got, or may accept. Newest first.",
	Scope:       scope.SharingRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in ListInput) (*Page, error) {
	if in.Limit < 0 || in.Limit > maxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", maxLimit)
	}
	after, err := readCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	if in.SharedWithMe {
		in.Which = "with_me"
	}
	if in.Path != "" {
		if err := tool.CheckPath(ctx, in.Path); err != nil {
			return nil, err
		}
	}
	all, err := lists(ctx, shares, &in)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	may, err := tool.PathFilter(ctx)
	if err != nil {
		return nil, err
	}
	all.Shares = slices.DeleteFunc(all.Shares, func(s *api.Share) bool { return !may(s.Path) })
	return page(all, me, after, cmp.Or(in.Limit, defaultLimit)), nil
})

func lists(ctx context.Context, shares *api.Client, in *ListInput) (*api.List, error) {
	switch {
	case in.Below && (in.Path == "" || in.Which != "by_me" && in.Which != ""):
		return nil, tool.Invalidf("below needs the path of a folder, and goes with which by_me")
	case in.Path != "" && (in.Which == "pending" || in.Which == "left"):
		return nil, tool.Invalidf("what is pending or was left has no path yet: leave path out")
	}
	switch in.Which {
	case "with_me":
		return shares.WithMe(ctx, in.Path)
	case "pending":
		return shares.Pending(ctx)
	case "left":
		return shares.Left(ctx)
	}
	return shares.ByMe(ctx, in.Path, in.Below)
}

// place is where a share stands in lists: newest first, then by id.
type place struct {
	created int64
	id      string
}

func placeOf(s *api.Share) place {
	if s.Created.IsZero() {
		return place{0, s.ID}
	}
	return place{s.Created.Unix(), s.ID}
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(other.created, p.created), cmp.Compare(len(other.id), len(p.id)), strings.Compare(other.id, p.id))
}

func readCursor(text string) (*place, error) {
	if text == "" {
		return nil, nil
	}
	created, id, ok := strings.Cut(text, ".")
	n, err := strconv.ParseInt(created, 10, 64)
	if !ok || err != nil || id == "" {
		return nil, tool.Invalidf("the cursor is none of this tool: take next_cursor as it came, or leave it out")
	}
	return &place{n, id}, nil
}

// page is the shares that come behind a place, up to limit.
func page(list *api.List, me string, after *place, limit int) *Page {
	out := &Page{Items: []Item{}, Total: len(list.Shares)}
	for _, s := range list.Skipped {
		out.Skipped = append(out.Skipped, Skipped{s.ID, s.Why})
	}
	slices.SortFunc(list.Shares, func(a, b *api.Share) int { return placeOf(a).compare(placeOf(b)) })
	var last place
	for _, s := range list.Shares {
		here := placeOf(s)
		switch {
		case after != nil && here.compare(*after) <= 0:
			continue
		case len(out.Items) == limit:
			out.NextCursor = fmt.Sprintf("%d.%s", last.created, last.id)
			return out
		}
		out.Items = append(out.Items, item(s, me))
		last = here
	}
	return out
}

// GetInput is the input of nc_share_get.
type GetInput struct {
	ShareID string `json:"share_id" jsonschema:"share id"`
}

var get = tool.New(tool.Def{
	Name:        "nc_share_get",
	Title:       "Read a share",
	Description: "Read one share.",
	Scope:       scope.SharingRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"share_id"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in GetInput) (*Item, error) {
	s, err := found(ctx, shares, in.ShareID)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	i := item(s, me)
	return &i, nil
})
