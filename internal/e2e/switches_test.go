package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools"
)

// offered are the names in tools/list.
func offered(t *testing.T, s *mcp.ClientSession) (names []string) {
	t.Helper()
	for tl, err := range s.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tl.Name)
	}
	return names
}

// TestSwitches: what a switch takes away is neither listed nor called, and the
// answer says why.
func TestSwitches(t *testing.T) {
	t.Parallel()
	var all []*tool.Tool
	for _, set := range tools.All() {
		all = append(all, set.Tools...)
	}
	if len(all) < 10 {
		t.Fatalf("%d tools", len(all))
	}
	for _, tc := range []struct {
		name     string
		variable string
		offers   func(*tool.Tool) bool
		lists    tool.Tier // lists show no higher tier
		says     string
	}{
		{"default", "", func(*tool.Tool) bool { return true }, tool.Core, ""},
		{"core", "MCP_TIER=core", func(tl *tool.Tool) bool { return tl.Tier == tool.Core }, tool.Core, "tier"},
		{"read only", "MCP_READ_ONLY=true", func(tl *tool.Tool) bool { return tl.Effect == tool.Reads }, tool.Core, ""},
		{"areas", "MCP_AREAS=notes", func(tl *tool.Tool) bool { return strings.HasPrefix(tl.Name, "nc_notes_") }, tool.Core, ""},
		{"tools", "MCP_TOOLS=nc_notes_get_note,nc_notes_get_attachment", func(tl *tool.Tool) bool {
			return tl.Name == "nc_notes_get_note" || tl.Name == "nc_notes_get_attachment"
		}, tool.Complete, ""},
		{"exclude", "MCP_EXCLUDE_TOOLS=nc_notes_delete_note", func(tl *tool.Tool) bool { return tl.Name != "nc_notes_delete_note" }, tool.Core, ""},
		{"tier", "MCP_TIER=complete", func(*tool.Tool) bool { return true }, tool.Complete, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
			var variables []string
			if tc.variable != "" {
				variables = append(variables, tc.variable)
			}
			endpoint, _ := serve(t, sim, variables...)
			for _, revision := range revisions[:2] {
				s := connect(t, endpoint, "alice", &e2e.Options{Revision: revision})
				names := offered(t, s)
				sim.ResetRequests()
				for _, tl := range all {
					want := tc.offers(tl)
					if got := slices.Contains(names, tl.Name); got != (want && tl.Tier <= tc.lists) {
						t.Errorf("%s: %s listed: %v", revision, tl.Name, got)
					}
					if want {
						continue
					}
					text := fails(t, s, tl.Name, map[string]any{})
					if !strings.Contains(text, "is not available: ") || !strings.Contains(text, tc.says) {
						t.Errorf("%s: the call of %s is answered: %s", revision, tl.Name, text)
					}
				}
				if found := dataRequests(sim); len(found) != 0 {
					t.Errorf("calls of what is switched off reached Nextcloud: %v", found)
				}
			}
		})
	}
}

// TestTierOfAConnection: its address says how much of what is offered it lists.
func TestTierOfAConnection(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim, "MCP_TIER=extended")
	for query, highest := range map[string]tool.Tier{"": tool.Extended, "?tier=core": tool.Core, "?tier=complete": tool.Extended} {
		names := offered(t, connect(t, endpoint+query, "alice", &e2e.Options{}))
		for _, set := range tools.All() {
			for _, tl := range set.Tools {
				if got := slices.Contains(names, tl.Name); got != (tl.Tier <= highest) && !set.Connections {
					t.Errorf("%q: %s listed: %v", query, tl.Name, got)
				}
			}
		}
	}
}

// TestReadOnlyWritesNothing: no scope opens what is switched off.
func TestReadOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim, "MCP_READ_ONLY=true")
	s := connect(t, endpoint, "alice", &e2e.Options{Scopes: strings.Fields(allScopes)})
	call(t, s, "nc_notes_search_notes", anyNote, nil)
	for _, tl := range []string{"nc_notes_create_note", "nc_notes_update_note", "nc_notes_append_content", "nc_notes_delete_note", "nc_calendar_create_event", "nc_calendar_update_event", "nc_calendar_delete_event"} {
		text := fails(t, s, tl, map[string]any{"title": "x", "content": "x", "note_id": 1, "etag": "x"})
		if !strings.Contains(text, "read-only") {
			t.Errorf("%s: %s", tl, text)
		}
	}
	for _, r := range sim.Requests() {
		if r.Method == http.MethodPut || r.Method == http.MethodDelete || (r.Method == http.MethodPost && !strings.HasPrefix(r.Path, "/apps/oidc/") && !strings.HasPrefix(r.Path, "/index.php/apps/oidc/") && !strings.HasPrefix(r.Path, "/login")) {
			t.Errorf("a read-only server sent %s %s", r.Method, r.Path)
		}
	}
}
