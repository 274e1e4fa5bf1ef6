package sharing

import (
	"cmp"
	"context"
	"strconv"

	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// RecipientsInput is the input of nc_share_search_recipients.
type RecipientsInput struct {
	Query     string `json:"query,omitempty" jsonschema:"name or address, none for frequent ones"`
	ShareType string `json:"share_type,omitempty" jsonschema:"only this type"`
	Limit     int    `json:"limit,omitempty" jsonschema:"of each type, default 10, at most 25"`
	Cursor    string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Recipients is the outcome of nc_share_search_recipients.
type Recipients struct {
	Items      []Recipient `json:"items"`
	NextCursor string      `json:"next_cursor,omitempty"`
	Skipped    []Skipped   `json:"skipped,omitempty"`
}

// Recipient is one that files can be shared with.
type Recipient struct {
	ShareType string `json:"share_type"`
	ShareWith string `json:"share_with"`
	Name      string `json:"name,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Exact     bool   `json:"exact,omitempty"`
}

const maxPages = 1000

var recipients = tool.New(tool.Def{
	Name:        "nc_share_search_recipients",
	Title:       "Search recipients",
	Description: "Find people, groups, teams, rooms and addresses to share with, exact matches first.",
	Scope:       scope.SharingRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in RecipientsInput) (*Recipients, error) {
	if in.Limit < 0 || in.Limit > api.MaxRecipients {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxRecipients)
	}
	number := 1
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 1 || n > maxPages {
			return nil, tool.Invalidf("the cursor is none of this tool: take next_cursor as it came, or leave it out")
		}
		number = n
	}
	var kinds []api.Kind
	if in.ShareType != "" {
		k, err := api.ParseKind(in.ShareType)
		if err != nil {
			return nil, err
		}
		if k == api.Link {
			return nil, tool.Invalidf("a link has no recipient")
		}
		kinds = []api.Kind{k}
	}
	found, err := shares.Recipients(ctx, in.Query, kinds, number, cmp.Or(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := &Recipients{Items: []Recipient{}}
	for _, r := range found.Recipients {
		one := Recipient{ShareType: r.Kind.String(), ShareWith: r.With, Detail: r.Detail, Exact: r.Exact}
		if r.Name != r.With {
			one.Name = r.Name
		}
		out.Items = append(out.Items, one)
	}
	for _, s := range found.Skipped {
		out.Skipped = append(out.Skipped, Skipped{s.ID, s.Why})
	}
	if found.More {
		out.NextCursor = strconv.Itoa(number + 1)
	}
	return out, nil
})
