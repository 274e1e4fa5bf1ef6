package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// With this server's own authorization server everything works on every
// version, whatever apps are there.
func TestOwnConnectionsOnEveryVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"28.0.2", "29.0.1", "30.0.5", "31.0.2", "34.0.1"} {
		for _, apps := range []string{"oidc", "stock"} {
			t.Run(version+" "+apps, func(t *testing.T) {
				t.Parallel()
				sim := nextcloudtest.Start(t, &nextcloudtest.Options{
					Version: version, SampleData: true, DisableOIDC: apps == "stock", DisableUserOIDC: apps == "stock",
				})
				endpoint, _ := serve(t, sim)
				s, err := e2e.Connect(t.Context(), endpoint, "alice", "alice-password-1", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				call(t, s, "nc_notes_search_notes", anyNote, nil)
				call(t, s, "nc_calendar_list_events", map[string]any{"calendar_name": "personal", "start_date": "2030-05-01", "end_date": "2030-05-03"}, nil)
				if n := len(sim.AppPasswords("alice")); n != 1 {
					t.Errorf("%d app passwords, want the one of the connection", n)
				}
			})
		}
	}
}

// TestVersions is the table of docs/oauth-setup.md.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version, exchange, credential string
		notes                         bool
	}{
		{"28.0.2", "forbidden", "bearer token of each request", false},
		{"30.0.5", "works", "app password of each grant", true},
		{"31.0.2", "works", "app password of each grant", true},
		{"34.0.1", "works", "app password of each grant", true},
	} {
		t.Run(tc.version, func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, &nextcloudtest.Options{Version: tc.version, SampleData: true})
			endpoint, _ := serve(t, sim, "MCP_AUTHORIZATION_SERVER=issuer")
			s, err := e2e.Connect(t.Context(), endpoint, "alice", "alice-password-1", nil)
			if err != nil {
				// Before oidc 1.10 nothing says that PKCE is there, and the official
				// client refuses that; others go on.
				if tc.version != "28.0.2" || !strings.Contains(err.Error(), "PKCE") {
					t.Fatal(err)
				}
				s = dial(t, endpoint, signIn(t, sim, addClient(sim, "opaque"), "alice", endpoint).AccessToken)
			} else {
				defer s.Close()
			}
			var created struct {
				UID  string `json:"uid"`
				ETag string `json:"etag"`
			}
			call(t, s, "nc_calendar_create_event", map[string]any{
				"calendar_name": "personal", "title": "Review", "start_datetime": "2030-05-02T10:00:00Z", "end_datetime": "2030-05-02T11:00:00Z",
			}, &created)
			var events map[string]any
			call(t, s, "nc_calendar_list_events", map[string]any{"calendar_name": "personal", "start_date": "2030-05-01", "end_date": "2030-05-03"}, &events)
			if text, _ := json.Marshal(events); !strings.Contains(string(text), "Review") {
				t.Errorf("the new event is not in the list: %s", text)
			}
			if tc.notes {
				var n note
				call(t, s, "nc_notes_create_note", map[string]any{"title": "From " + tc.version, "content": "x"}, &n)
				call(t, s, "nc_notes_get_note", map[string]any{"note_id": n.ID}, nil)
			} else if text := fails(t, s, "nc_notes_search_notes", anyNote); !strings.Contains(text, "version 30") {
				t.Errorf("the error does not say why notes do not work: %s", text)
			}
			var report struct {
				Checks struct {
					Leg struct {
						Data struct {
							Exchange   string `json:"exchange"`
							Credential string `json:"credential"`
							Detail     string `json:"detail"`
							Version    string `json:"nextcloud_version"`
						} `json:"data"`
					} `json:"data_leg"`
				} `json:"checks"`
			}
			a := get(t, strings.TrimSuffix(endpoint, "/mcp")+"/health/ready")
			if err := json.Unmarshal([]byte(a.body), &report); err != nil || a.status != 200 {
				t.Fatalf("%d %v: %s", a.status, err, a.body)
			}
			leg := report.Checks.Leg.Data
			if leg.Exchange != tc.exchange || leg.Credential != tc.credential || leg.Version != tc.version || (leg.Detail == "") == (tc.exchange == "forbidden") {
				t.Errorf("data leg: %+v", leg)
			}
		})
	}
}
