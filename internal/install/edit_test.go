package install_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/install"
)

var program = install.Server{Name: "nextcloud", Command: "/usr/bin/nextcloud-mcp-server", Args: []string{"--transport", "stdio"}}

func client(tb testing.TB, key string) install.Client {
	tb.Helper()
	c, ok := install.Find(key)
	if !ok {
		tb.Fatalf("no client %s", key)
	}
	return c
}

// TestEdit pins the bytes of what comes out: the file's own layout, and
// everything else as it was.
func TestEdit(t *testing.T) {
	remote := install.Server{Name: "nextcloud", URL: "https://mcp.example.org/mcp?a=1&b=<2>"}
	for _, c := range []struct {
		name, client string
		server       install.Server
		file, want   string
	}{
		{
			name: "an empty file", client: "cursor", server: remote, file: " \n",
			want: "{\n  \"mcpServers\": {\n    \"nextcloud\": {\n      \"url\": \"https://mcp.example.org/mcp?a=1&b=<2>\"\n    }\n  }\n}\n",
		},
		{
			name: "an empty object", client: "vscode", server: remote, file: "{}\n",
			want: "{\n  \"servers\": {\n    \"nextcloud\": {\n      \"type\": \"http\",\n      \"url\": \"https://mcp.example.org/mcp?a=1&b=<2>\"\n    }\n  }\n}\n",
		},
		{
			name: "other servers, tabs", client: "claude-desktop", server: program,
			file: "{\n\t\"scale\": 1.50, \"n\": 12345678901234567890,\n\t\"mcpServers\": {\n\t\t\"other\": { \"command\":\"x\" }\n\t},\n\t\"last\": [1,  2]\n}",
			want: "{\n\t\"scale\": 1.50, \"n\": 12345678901234567890,\n\t\"mcpServers\": {\n\t\t\"other\": { \"command\":\"x\" },\n" +
				"\t\t\"nextcloud\": {\n\t\t\t\"command\": \"/usr/bin/nextcloud-mcp-server\",\n\t\t\t\"args\": [\n\t\t\t\t\"--transport\",\n\t\t\t\t\"stdio\"\n\t\t\t]\n\t\t}\n" +
				"\t},\n\t\"last\": [1,  2]\n}",
		},
		{
			name: "no servers yet, CRLF", client: "cursor", server: install.Server{Name: "nc", URL: "http://h/mcp"},
			file: "{\r\n    \"a\": null\r\n}\r\n",
			want: "{\r\n    \"a\": null,\r\n    \"mcpServers\": {\r\n        \"nc\": {\r\n            \"url\": \"http://h/mcp\"\r\n        }\r\n    }\r\n}\r\n",
		},
		{
			name: "an empty list of servers", client: "cursor", server: install.Server{Name: "nc", URL: "http://h/mcp"},
			file: "{\n    \"mcpServers\": { }\n}",
			want: "{\n    \"mcpServers\": {\n        \"nc\": {\n            \"url\": \"http://h/mcp\"\n        }\n    }\n}",
		},
		{
			name: "one line", client: "vscode", server: program, file: `{"inputs":[],"servers":{}}`,
			want: `{"inputs":[],"servers":{"nextcloud": {"type":"stdio","command":"/usr/bin/nextcloud-mcp-server","args":["--transport","stdio"]}}}`,
		},
		{
			name: "servers on one line", client: "cursor", server: install.Server{Name: "nc", URL: "http://h/mcp"},
			file: "{\n  \"mcpServers\": {\"a\": {}}\n}", want: "{\n  \"mcpServers\": {\"a\": {}, \"nc\": {\"url\":\"http://h/mcp\"}}\n}",
		},
		{
			name: "another server of that name", client: "cursor", server: install.Server{Name: "nc", URL: "http://h/mcp"},
			file: "{\n  \"mcpServers\": {\n    \"nc\": {\"command\": \"old\"},\n    \"b\": 1\n  }\n}",
			want: "{\n  \"mcpServers\": {\n    \"nc\": {\n      \"url\": \"http://h/mcp\"\n    },\n    \"b\": 1\n  }\n}",
		},
		{
			name: "the same server, written otherwise", client: "vscode", server: install.Server{Name: "nc", URL: "http://h/mcp"},
			file: `{"servers": {"nc": {"url": "http:\/\/h\/mcp",   "type": "http"}}}`, want: `{"servers": {"nc": {"url": "http:\/\/h\/mcp",   "type": "http"}}}`,
		},
		{
			name: "a byte order mark", client: "cursor", server: install.Server{Name: "nc", URL: "u"},
			file: "\ufeff{\"mcpServers\": {}}", want: "\ufeff{\"mcpServers\": {\"nc\": {\"url\":\"u\"}}}",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := client(t, c.client).Edit([]byte(c.file), c.server)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			again, err := client(t, c.client).Edit(got, c.server)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("a second time: %v\n%s", err, again)
			}
		})
	}
}

// TestEditRefuses what it could destroy.
func TestEditRefuses(t *testing.T) {
	for name, file := range map[string]string{
		"a comment":                "{\n  // mine\n  \"mcpServers\": {}\n}",
		"a comma at the end":       `{"mcpServers": {},}`,
		"cut off":                  `{"mcpServers": {`,
		"more behind it":           `{} {}`,
		"an array":                 `[]`,
		"a string":                 `"mcpServers"`,
		"servers of another shape": `{"mcpServers": []}`,
		"servers twice":            `{"mcpServers": {}, "mcpServers": {}}`,
		"the server twice":         `{"mcpServers": {"nextcloud": {}, "nextcloud": {}}}`,
		"no text":                  "\x00\x01",
	} {
		if got, err := client(t, "cursor").Edit([]byte(file), program); !errors.Is(err, install.ErrUnclear) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// FuzzEdit: what comes out is the file with one server more, in the same
// bytes around it, and editing it again changes nothing.
func FuzzEdit(f *testing.F) {
	for _, file := range []string{
		``, `{}`, "{\n\t\"a\": 1\n}", `{"mcpServers":{"a":{"url":"x"}}}`, "{\r\n \"mcpServers\": {\r\n }\r\n}", `{"mcpServers": {"nextcloud": 5}} `,
		`{"a\u0062":"\ud800","mcpServers":{"":1e400}}`, `{"x":{"mcpServers":{}}}`, "\ufeff{}", `{"mcpServers":null}`, `{ "a":[{"}":"{"}] , "b":0.10}`,
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c := client(t, "cursor")
		got, err := c.Edit(file, program)
		if err != nil {
			if !errors.Is(err, install.ErrUnclear) {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(bytes.TrimPrefix(got, []byte("\ufeff"))) {
			t.Fatalf("no JSON: %q", got)
		}
		want := members(t, file)
		if want == nil {
			want = map[string]json.RawMessage{}
		}
		have := members(t, got)
		wantServers, haveServers := members(t, want["mcpServers"]), members(t, have["mcpServers"])
		delete(want, "mcpServers")
		delete(have, "mcpServers")
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("beside the servers (-before +after)\n%s", diff)
		}
		if haveServers["nextcloud"] == nil {
			t.Fatalf("the server is not in %q", got)
		}
		delete(wantServers, "nextcloud")
		delete(haveServers, "nextcloud")
		if len(wantServers)+len(haveServers) > 0 {
			if diff := cmp.Diff(wantServers, haveServers); diff != "" {
				t.Fatalf("other servers (-before +after)\n%s", diff)
			}
		}
		again, err := c.Edit(got, program)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("a second time: %v\n%q\n%q", err, got, again)
		}
	})
}

// members are those of an object, in their very bytes; the last of a name.
func members(t *testing.T, object []byte) map[string]json.RawMessage {
	t.Helper()
	object = bytes.TrimPrefix(object, []byte("\ufeff"))
	if len(strings.TrimSpace(string(object))) == 0 {
		return nil
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(object, &m); err != nil {
		t.Fatalf("%q: %v", object, err)
	}
	return m
}
