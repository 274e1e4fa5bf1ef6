package e2e_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestPolicies: what a person takes from a connection on the account page is
// neither listed nor done, at once, in the session that is open, and comes back
// when it is given back.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, revision := range revisions {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
			endpoint, _ := serve(t, sim)
			s := connect(t, endpoint, "alice", &e2e.Options{Revision: revision})
			all := offered(t, s)
			var own note
			call(t, s, "nc_notes_create_note", map[string]any{"title": "Mine", "content": "x", "category": ""}, &own)
			write := map[string]any{"title": "Another", "content": "x", "category": ""}
			remove := map[string]any{"note_id": own.ID}

			alice := site(endpoint).Alice(t)
			page := granted(t, alice, alice.Get("/account"))
			pause, _ := page.Form("/pause")
			at := strings.TrimSuffix(pause, "/pause")
			for _, tc := range []struct {
				name    string
				change  url.Values
				lacks   []string // of the tools
				refused map[string]map[string]any
				works   string
				says    string
			}{
				{
					name: "narrowed", change: url.Values{"scope": {"notes.read", "notes.write"}},
					lacks:   []string{"nc_calendar_list_events", "nc_calendar_create_event"},
					refused: map[string]map[string]any{"nc_calendar_list_events": {}, "nc_calendar_list_calendars": {}}, works: "nc_notes_search_notes", says: "calendar",
				},
				{
					name: "read-only", change: url.Values{"read_only": {"1"}},
					lacks:   []string{"nc_notes_create_note", "nc_notes_delete_note", "nc_calendar_create_event"},
					refused: map[string]map[string]any{"nc_notes_create_note": write, "nc_notes_delete_note": remove}, works: "nc_notes_search_notes", says: "read",
				},
				{
					name: "without deleting", change: url.Values{"no_delete": {"1"}},
					lacks:   []string{"nc_notes_delete_note", "nc_calendar_delete_event"},
					refused: map[string]map[string]any{"nc_notes_delete_note": remove}, works: "nc_notes_search_notes", says: "delet",
				},
			} {
				form := alice.Get(at)
				_, before := form.Form(at)
				done := alice.Submit(form, at, tc.change)
				if done.Status != 200 || done.URL.Path != "/account" {
					t.Fatalf("%s: %d %s", tc.name, done.Status, done.Text())
				}
				now := offered(t, s)
				for _, tool := range all {
					if gone := slices.Contains(tc.lacks, tool); gone && slices.Contains(now, tool) {
						t.Errorf("%s: %s is offered", tc.name, tool)
					}
				}
				sim.ResetRequests()
				for tool, arguments := range tc.refused {
					if text := fails(t, s, tool, arguments); !strings.Contains(strings.ToLower(text), tc.says) {
						t.Errorf("%s: %s is answered: %s", tc.name, tool, text)
					}
				}
				if found := dataRequests(sim); len(found) != 0 {
					t.Errorf("%s: what is refused reached Nextcloud: %v", tc.name, found)
				}
				if !slices.Contains(now, tc.works) {
					t.Errorf("%s: %s is not offered", tc.name, tc.works)
				}
				call(t, s, tc.works, anyNote, nil)
				back := url.Values{"scope": before["scope"], "read_only": nil, "no_delete": nil}
				alice.Submit(alice.Get(at), at, back)
				if again := offered(t, s); !slices.Equal(again, all) {
					t.Errorf("%s: %v is offered afterwards, was %v", tc.name, again, all)
				}
			}

			alice.Submit(alice.Get("/account"), "/pause", nil)
			sim.ResetRequests()
			for tool, arguments := range map[string]map[string]any{"nc_notes_search_notes": anyNote, "nc_notes_create_note": write, "nc_calendar_list_events": {}} {
				if text := fails(t, s, tool, arguments); !strings.Contains(text, "pause") {
					t.Errorf("paused: %s is answered: %s", tool, text)
				}
			}
			if names := offered(t, s); slices.ContainsFunc(names, func(name string) bool {
				return strings.HasPrefix(name, "nc_notes_") || strings.HasPrefix(name, "nc_calendar_")
			}) {
				t.Errorf("a paused connection is offered %v", names)
			}
			if found := dataRequests(sim); len(found) != 0 {
				t.Errorf("a paused connection reached Nextcloud: %v", found)
			}
			alice.Submit(alice.Get("/account"), "/resume", nil)
			call(t, s, "nc_notes_delete_note", remove, nil)
		})
	}
}

// TestConsentToLess: a client that asks for everything gets what the person
// ticked, is told so with its tokens, and cannot refresh its way to more.
func TestConsentToLess(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim)
	p := newProgram(endpoint)
	p.scope = "notes.read notes.write calendar.read calendar.write"
	if err := p.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	alice := person("alice")
	alice.Untick = []string{"notes.write", "calendar.write", "calendar.read"}
	tokens, err := p.signIn(t.Context(), alice)
	tokens = grants(t, tokens, err)
	wider, err := p.token(t.Context(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "scope": {p.scope}})
	wider = grants(t, wider, err)
	for _, got := range []pair{tokens, wider} {
		if got.Scope != "notes.read" {
			t.Errorf("the tokens are good for %q", got.Scope)
		}
	}
	lets(t, p, wider.Access)
	for tool, arguments := range map[string]string{
		"nc_notes_create_note": `{"title":"x","content":"x","category":""}`, "nc_calendar_list_calendars": `{}`,
	} {
		text, _, err := p.call(t.Context(), wider.Access, "2025-06-18", tool, arguments)
		if err != nil || !strings.Contains(text, `"isError":true`) && !strings.Contains(text, "insufficient_scope") && !strings.Contains(text, `"error"`) {
			t.Errorf("%s: %s, %v", tool, text, err)
		}
	}
}
