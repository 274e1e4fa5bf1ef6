package server

import (
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestDeniedIsNoStepUp checks that what a person denied is answered as such,
// and that clients are not told to ask for it again.
func TestDeniedIsNoStepUp(t *testing.T) {
	s := newStack(t, nil, nil)
	const write, file = "nc_write", "nc://files/1"
	for _, test := range []struct {
		token, what, says string
		status            int
	}{
		{"refusing", write, "The person did not allow this connection notes.write", 200},
		{"refusing", file, "The person did not allow this connection files.read", 200},
		{"paused", write, "This connection is paused", 200},
		{"paused", "nc_read", "This connection is paused", 200},
		{"paused", file, "This connection is paused", 200},
		{"read-only", write, "only to read", 200},
		{"in-folders", file, "some folders", 200},
		// Scopes that nobody refused are still to be asked for.
		{"in-folders", "nc_read", "notes.read", 403},
		{"read-only", file, "files.read", 403},
		{"powerless", write, "notes.write", 403},
	} {
		for _, generation := range []string{"older", "modern"} {
			var r request
			method, params := "tools/call", `"name":"`+test.what+`"`
			if strings.Contains(test.what, ":") {
				method, params = "resources/read", `"uri":"`+test.what+`"`
			}
			if r = modern(test.token, method, test.what, params); generation == "older" {
				session := s.connect(t, test.token, "2025-11-25")
				r.body = older(method, "{"+params+"}")
				r.header.Set("Mcp-Session-Id", session.ID())
				r.header.Set("Mcp-Protocol-Version", "2025-11-25")
			}
			a := s.send(t, r)
			if a.status != test.status && (test.status != 200 || a.status != 400 || method == "tools/call") || !strings.Contains(a.body, test.says) {
				t.Errorf("%s, %s, %s: %d %s", generation, test.token, test.what, a.status, a.body)
			}
			if challenge := a.header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 403) {
				t.Errorf("%s, %s, %s: challenge %q", generation, test.token, test.what, challenge)
			}
		}
	}
	// What is denied beside something that needs a scope does not hide it.
	batch := "[" + older("tools/call", `{"name":"nc_write"}`) + "," + older("resources/read", `{"uri":"nc://files/1"}`) + "]"
	if a := s.send(t, request{token: "read-only", body: batch}); a.status != 403 || !strings.Contains(a.body, "files.read") {
		t.Errorf("batch: %d %s", a.status, a.body)
	}
}

// TestListsFollowThePolicy lists through the whole stack, in every revision.
func TestListsFollowThePolicy(t *testing.T) {
	s := newStack(t, nil, nil)
	for _, version := range versions {
		for token, want := range map[string]string{
			"alice": "nc_read nc_write whoami", "refusing": "nc_read whoami", "read-only": "nc_read whoami", "in-folders": "nc_read nc_write whoami", "paused": "",
		} {
			session := s.connect(t, token, version)
			list, err := session.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, tl := range list.Tools {
				got = append(got, tl.Name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s, %s: %s", version, token, got)
			}
			templates, err := session.ListResourceTemplates(t.Context(), &mcp.ListResourceTemplatesParams{})
			if err != nil {
				t.Fatal(err)
			}
			wanted := map[string]int{"alice": 2, "refusing": 1, "read-only": 2, "in-folders": 1, "paused": 0}[token]
			if len(templates.ResourceTemplates) != wanted {
				t.Errorf("%s, %s: %d templates", version, token, len(templates.ResourceTemplates))
			}
		}
	}
}
