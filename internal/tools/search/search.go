// Package search declares Nextcloud's unified search as tools: one for models
// that know Nextcloud, and the pair search and fetch that some clients demand of
// every server. It knows which area each source of results belongs to, because
// a result is shown only to a connection that may read that area.
package search

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/search"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the search area.
var Tools = tool.Group[*api.Client]{
	Name: "search", Title: "Search", Client: api.New,
	Tools: []tool.Of[*api.Client]{everywhere, search, fetch},
}

// Input is the input of nc_search.
type Input struct {
	Query string   `json:"query" jsonschema:"words to look for"`
	In    []string `json:"in,omitempty" jsonschema:"only these sources, ids or app names such as files or talk"`
	Since string   `json:"since,omitempty" jsonschema:"RFC 3339 or date, only sources that know times"`
	Until string   `json:"until,omitempty" jsonschema:"RFC 3339 or date"`
	Limit int      `json:"limit,omitempty" jsonschema:"results per source, default 5, at most 25"`
	// Cursor goes on in one source.
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor, with in naming its source alone"`
}

// Item is one result.
type Item struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	About  string `json:"about,omitempty"` // where it is, or an excerpt
	Source string `json:"source,omitempty"`
	URL    string `json:"url,omitempty"`
}

// More says where a source has more results.
type More struct {
	Source string `json:"source"`
	Cursor string `json:"next_cursor"`
}

// Results is the outcome of nc_search.
type Results struct {
	Items   []Item            `json:"items"`
	More    []More            `json:"more,omitempty"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"` // sources that failed, and unreadable results
	Sources []string          `json:"sources,omitempty"` // that were searched
}

var everywhere = tool.New(tool.Def{
	Name:        "nc_search",
	Title:       "Search everything",
	Description: "Search all apps at once: files, notes, events, contacts, mail, chats, cards and more. Results come by source. Read one with fetch.",
	Scope:       scope.SearchRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
}, func(ctx context.Context, c *api.Client, in Input) (*Results, error) {
	q, err := query(in)
	if err != nil {
		return nil, err
	}
	providers, err := sources(ctx, c, in.In)
	if err != nil {
		return nil, err
	}
	if in.Cursor != "" && len(providers) != 1 {
		return nil, tool.Invalidf("A cursor goes with one source: name it in \"in\".")
	}
	if in.Since != "" || in.Until != "" {
		providers = timed(providers, in)
		if len(providers) == 0 {
			return nil, tool.Invalidf("None of these sources can search by time. Leave out since and until.")
		}
	}
	return find(ctx, c, providers, q)
})

// query is what was asked for, in the client's terms.
func query(in Input) (api.Query, error) {
	q := api.Query{Term: strings.TrimSpace(in.Query), Limit: in.Limit, Cursor: in.Cursor}
	if q.Term == "" {
		return q, tool.Invalidf("query has to name something to look for.")
	}
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return q, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	if q.Limit == 0 {
		q.Limit = 5
	}
	var err error
	if q.Since, err = instant("since", in.Since); err != nil {
		return q, err
	}
	q.Until, err = instant("until", in.Until)
	return q, err
}

func instant(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, tool.Invalidf("%s has to be a date such as 2026-03-01 or a time such as 2026-03-01T09:00:00Z", name)
}

// timed are the providers that know the filters that were given.
func timed(providers []api.Provider, in Input) []api.Provider {
	var out []api.Provider
	for _, p := range providers {
		if (in.Since == "" || p.Has("since")) && (in.Until == "" || p.Has("until")) {
			out = append(out, p)
		}
	}
	return out
}

const (
	// parallel is how many sources are asked at the same time.
	parallel = 4
	// maxSources bounds the sources of one search.
	maxSources = 40
)

// find asks all providers. One that fails takes no other with it.
func find(ctx context.Context, c *api.Client, providers []api.Provider, q api.Query) (*Results, error) {
	visible, err := tool.PathFilter(ctx)
	if err != nil {
		return nil, err
	}
	pages := make([]*api.Page, len(providers))
	failures := make([]error, len(providers))
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, p := range providers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			pages[i], failures[i] = c.Search(ctx, p, q)
		})
	}
	wg.Wait()
	out := &Results{Items: []Item{}}
	for i, p := range providers {
		if failures[i] != nil {
			out.Skipped = append(out.Skipped, lenient.Skipped{ID: p.ID, Why: reason(failures[i])})
			continue
		}
		out.Sources = append(out.Sources, p.ID)
		entries := pages[i].Entries
		if over := len(entries) - q.Limit; over > 0 {
			// Nextcloud: some apps answer all that they find.
			entries = entries[:q.Limit]
			out.Skipped = append(out.Skipped, lenient.Skipped{ID: p.ID, Why: fmt.Sprintf("%d more results: use more words, or a higher limit", over)})
		}
		for _, e := range entries {
			if hidden(p, e, visible) {
				continue
			}
			out.Items = append(out.Items, Item{ID: identify(ctx, p, e), Title: e.Title, About: e.Subline, Source: p.ID, URL: e.URL})
		}
		for _, s := range pages[i].Skipped {
			out.Skipped = append(out.Skipped, lenient.Skipped{ID: p.ID, Why: s.Why})
		}
		if pages[i].Cursor != "" {
			out.More = append(out.More, More{p.ID, pages[i].Cursor})
		}
	}
	return out, nil
}

// FindInput is the input of search.
type FindInput struct {
	Query string `json:"query" jsonschema:"words to look for"`
}

// Hit is one result of search, in the shape that such clients demand.
type Hit struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Hits is the outcome of search.
type Hits struct {
	Results []Hit `json:"results"`
}

var search = tool.New(tool.Def{
	Name:        "search",
	Title:       "Search",
	Description: "Find things in Nextcloud by words. Read one with fetch and its id.",
	Scope:       scope.SearchRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
}, func(ctx context.Context, c *api.Client, in FindInput) (*Hits, error) {
	q, err := query(Input{Query: in.Query})
	if err != nil {
		return nil, err
	}
	providers, err := sources(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	found, err := find(ctx, c, providers, q)
	if err != nil {
		return nil, err
	}
	if len(found.Items) == 0 && len(found.Sources) == 0 && len(found.Skipped) > 0 {
		return nil, tool.Invalidf("Nothing could be searched: %s.", found.Skipped[0].Why)
	}
	out := &Hits{Results: []Hit{}}
	for _, item := range found.Items {
		if item.URL == "" {
			continue // such clients refuse a result without a link
		}
		out.Results = append(out.Results, Hit{item.ID, item.Title, item.URL})
	}
	return out, nil
})

// FetchInput is the input of fetch.
type FetchInput struct {
	ID string `json:"id" jsonschema:"of a result of search"`
}

// Document is the outcome of fetch.
type Document struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Text     string            `json:"text"`
	URL      string            `json:"url"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

var fetch = tool.New(tool.Def{
	Name:        "fetch",
	Title:       "Read a search result",
	Description: "Read what search found, as text.",
	Scope:       scope.SearchRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"id"},
}, func(ctx context.Context, _ *api.Client, in FetchInput) (*Document, error) {
	kind, id, ok := strings.Cut(in.ID, ":")
	if !ok || id == "" {
		return nil, tool.Invalidf("%q is no id of a result. Take one from search.", shorten(in.ID))
	}
	if kind == entryKind {
		return entryOf(in.ID, id)
	}
	doc, err := tool.ReadDocument(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	return &Document{ID: in.ID, Title: doc.Title, Text: doc.Text, URL: doc.URL, Metadata: doc.Metadata}, nil
})

func shorten(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

func reason(err error) string { return fmt.Sprintf("could not be searched: %v", err) }
