package contract

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/nextcloud/search"
)

func runSearch(t *testing.T, env *Env) {
	client := env.Client(t)
	c := search.New(client)
	providers, err := c.Providers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	find := func(id string) search.Provider {
		t.Helper()
		i := slices.IndexFunc(providers, func(p search.Provider) bool { return p.ID == id })
		if i < 0 {
			t.Skipf("this Nextcloud cannot search %s", id)
		}
		return providers[i]
	}
	t.Run("providers", func(t *testing.T) {
		events := find("calendar")
		if events.App != "dav" || events.External || !events.Has("since") || !events.Has("until") {
			t.Errorf("calendar = %+v", events)
		}
	})
	t.Run("find", func(t *testing.T) {
		provider := find("notes")
		n := &notebook{env: env, nc: client, Client: notes.New(client), folder: unique("Contract")}
		word := strings.ReplaceAll(unique("zebra"), " ", "")
		for range 3 {
			n.create(t, word, "text", "")
		}
		page, err := c.Search(t.Context(), provider, search.Query{Term: word, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) != 3 || page.Cursor != "" || len(page.Skipped) > 0 {
			t.Fatalf("found %+v", page)
		}
		for _, e := range page.Entries {
			if !strings.HasPrefix(e.Title, word) || !strings.Contains(e.URL, "/apps/notes/note/") {
				t.Errorf("found %+v", e)
			}
		}
		// The Notes app answers all, whatever the limit.
		if few, err := c.Search(t.Context(), provider, search.Query{Term: word, Limit: 2}); err != nil || len(few.Entries) != 3 || few.Cursor != "" {
			t.Errorf("with a limit: %+v, %v", few, err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		page, err := c.Search(t.Context(), find("calendar"), search.Query{Term: strings.ReplaceAll(unique("none"), " ", "")})
		if err != nil || len(page.Entries) != 0 || page.Cursor != "" {
			t.Errorf("found %+v, %v", page, err)
		}
	})
	t.Run("unknown provider", func(t *testing.T) {
		if _, err := c.Search(t.Context(), search.Provider{ID: "no-such-provider"}, search.Query{Term: "x"}); !errors.Is(err, nextcloud.ErrBadAnswer) {
			t.Errorf("%v", err)
		}
	})
}
