// Package search is a typed client of Nextcloud's unified search: the
// providers that apps register, and the entries that each finds. It is
// separate because it reaches into all apps and belongs to none.
package search

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Client searches for one person.
type Client struct {
	nc *nextcloud.Client
}

// New is a search client on nc.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

// Provider is one source of results (OCS /search/providers).
type Provider struct {
	ID       string
	App      string // id of the app that it belongs to
	Name     string // in the person's language
	External bool   // it asks another service
	Filters  []string
}

// Has reports whether the provider knows a filter, such as "since".
func (p *Provider) Has(filter string) bool { return slices.Contains(p.Filters, filter) }

type wireProvider struct {
	ID       lenient.Text                 `json:"id"`
	App      lenient.Text                 `json:"appId"`
	Name     lenient.Text                 `json:"name"`
	Order    lenient.Int                  `json:"order"`
	External lenient.Bool                 `json:"isExternalProvider"`
	Filters  lenient.Object[lenient.Text] `json:"filters"`
}

func (p *wireProvider) Check() error {
	if p.ID == "" {
		return lenient.NoID()
	}
	return nil
}

const (
	providersKey = "search providers"
	providersAge = 10 * time.Minute
)

type knownProviders struct {
	list []Provider
	read time.Time
}

// Providers are the sources that the person can search, in Nextcloud's order.
// They are asked for once in ten minutes.
func (c *Client) Providers(ctx context.Context) ([]Provider, error) {
	if v, ok := c.nc.Cached(ctx, providersKey); ok {
		if known, ok := v.(*knownProviders); ok && time.Since(known.read) < providersAge {
			return known.list, nil
		}
	}
	var list lenient.List[wireProvider]
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: "list what can be searched", Path: "/ocs/v2.php/search/providers"}, &list); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, func(a, b wireProvider) int { return int(a.Order - b.Order) })
	known := &knownProviders{read: time.Now()}
	for _, w := range list.Items {
		p := Provider{ID: string(w.ID), App: string(w.App), Name: string(w.Name), External: bool(w.External)}
		for name := range w.Filters {
			p.Filters = append(p.Filters, name)
		}
		known.list = append(known.list, p)
	}
	c.nc.Store(ctx, providersKey, known, 200*(1+len(known.list)))
	return known.list, nil
}

// Query is what to look for.
type Query struct {
	Term         string // needed
	Limit        int    // entries at most; default 5
	Cursor       string // from the page before
	Since, Until time.Time
}

// MaxLimit is the most entries of one page.
const MaxLimit = 25

// Entry is one thing that was found.
type Entry struct {
	Title      string
	Subline    string // where it is, or an excerpt
	URL        string // its page in Nextcloud, absolute
	Attributes map[string]string
}

// Page are the entries of one provider.
type Page struct {
	Entries []Entry
	Skipped []lenient.Skipped
	Cursor  string // for the next page; empty when there is none
}

type wireEntry struct {
	Title      lenient.Text                    `json:"title"`
	Subline    lenient.Text                    `json:"subline"`
	URL        lenient.Text                    `json:"resourceUrl"`
	Attributes lenient.Object[json.RawMessage] `json:"attributes"`
}

func (e *wireEntry) Check() error {
	if e.Title == "" && e.URL == "" {
		return lenient.NoID()
	}
	return nil
}

// Search asks one provider. Filters that it does not know are not sent, so the
// caller has to leave out providers that lack a filter that matters.
func (c *Client) Search(ctx context.Context, p Provider, q Query) (*Page, error) {
	if q.Limit <= 0 {
		q.Limit = 5
	}
	q.Limit = min(q.Limit, MaxLimit)
	path, err := nextcloud.Path("/ocs/v2.php/search/providers", p.ID, "search")
	if err != nil {
		return nil, err
	}
	r := nextcloud.Request{Op: "search " + p.ID, Path: path, Query: url.Values{"term": {q.Term}, "limit": {strconv.Itoa(q.Limit)}}, MaxBody: 4 << 20}
	if q.Cursor != "" {
		r.Query.Set("cursor", q.Cursor)
	}
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !at.IsZero() && p.Has(name) {
			r.Query.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	var data struct {
		Entries   lenient.List[wireEntry] `json:"entries"`
		Cursor    lenient.Text            `json:"cursor"`
		Paginated lenient.Bool            `json:"isPaginated"`
	}
	if err := c.nc.OCS(ctx, r, &data); err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Status == http.StatusInternalServerError {
			// Nextcloud: an unknown provider is an internal server error.
			e.Kind, e.Message = nextcloud.ErrBadAnswer, "the search of this app failed"
		}
		return nil, err
	}
	page := &Page{Skipped: data.Entries.Skipped}
	for _, w := range data.Entries.Items {
		e := Entry{Title: string(w.Title), Subline: string(w.Subline), URL: c.absolute(string(w.URL)), Attributes: map[string]string{}}
		for name, raw := range w.Attributes {
			var v lenient.Text
			if json.Unmarshal(raw, &v) == nil {
				e.Attributes[name] = string(v)
			}
		}
		page.Entries = append(page.Entries, e)
	}
	// Nextcloud: a cursor comes with the last page, too.
	if bool(data.Paginated) && len(page.Entries)+len(page.Skipped) >= q.Limit {
		page.Cursor = string(data.Cursor)
	}
	return page, nil
}

// absolute is a link of an answer as people's browsers take it.
func (c *Client) absolute(link string) string {
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return ""
	}
	if u.IsAbs() {
		if u.Scheme != "https" && u.Scheme != "http" {
			return ""
		}
		return link
	}
	if u.Host != "" || link[0] != '/' {
		return ""
	}
	return c.nc.Host().PublicURL(link)
}
