package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools"
)

var update = flag.Bool("update", false, "rewrite the snapshots of tools")

// budget is what a tool may take in tools/list on average, in bytes of JSON.
const budget = 900

// noClients is the data leg of a test that calls nothing.
type noClients struct{}

func (noClients) Client(context.Context, *auth.Principal) (*nextcloud.Client, error) {
	return nil, errors.New("no Nextcloud here")
}

// listed are all tools as the official client receives them.
func listed(t *testing.T) []*mcp.Tool {
	t.Helper()
	registry, _ := tool.Select(tools.All(), tool.Selection{Tier: tool.Complete, Connections: true})
	server := mcp.NewServer(&mcp.Implementation{Name: "all", Version: "1"}, nil)
	if err := registry.Register(server, tool.Binding{Clients: noClients{}, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	serverSide, clientSide := mcp.NewInMemoryTransports()
	serving, err := server.Connect(t.Context(), serverSide, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), clientSide, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close()
		_ = serving.Wait()
	})
	var all []*mcp.Tool
	for tl, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tl)
	}
	return all
}

// TestSnapshots compares each tool with testdata/tools/<name>.json. A change
// of what clients see shall be seen in a review.
func TestSnapshots(t *testing.T) {
	dir := filepath.Join("testdata", "tools")
	wanted := map[string]bool{}
	for _, tl := range listed(t) {
		var got bytes.Buffer
		enc := json.NewEncoder(&got)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(tl); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, tl.Name+".json")
		wanted[tl.Name+".json"] = true
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v (go test ./internal/tools -update writes it)", err)
			continue
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s changed; go test ./internal/tools -update accepts it (-want +got)\n%s", tl.Name, diff)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, f := range files {
		switch {
		case wanted[f.Name()]:
		case *update:
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				t.Error(err)
			}
		default:
			t.Errorf("%s: there is no such tool any more", f.Name())
		}
	}
}

func TestBudget(t *testing.T) {
	all := listed(t)
	var sizes []string
	total := 0
	for _, tl := range all {
		b, err := json.Marshal(tl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		sizes = append(sizes, fmt.Sprintf("%5d %s", len(b), tl.Name))
	}
	if total > budget*len(all) {
		slices.Sort(sizes)
		slices.Reverse(sizes)
		t.Errorf("%d tools take %d bytes, %d each; the budget is %d. The largest:\n%s",
			len(all), total, total/len(all), budget, strings.Join(sizes[:min(15, len(sizes))], "\n"))
	}
}

var toolName = regexp.MustCompile(`^[a-z][a-z0-9_]{2,63}$`)

func TestTools(t *testing.T) {
	seen, areas := map[string]string{}, map[string]bool{}
	for _, set := range tools.All() {
		if areas[set.Name] || set.Name == "" || set.Title == "" {
			t.Errorf("area %q: named twice, or without name or title", set.Name)
		}
		areas[set.Name] = true
		if len(set.Tools)+len(set.Resources) == 0 {
			t.Errorf("area %s is empty", set.Name)
		}
		for _, tl := range set.Tools {
			if other, twice := seen[tl.Name]; twice {
				t.Errorf("%s is in %s and in %s", tl.Name, other, set.Name)
			}
			seen[tl.Name] = set.Name
			if !toolName.MatchString(tl.Name) {
				t.Errorf("%q is no tool name", tl.Name)
			}
			if tl.Title == "" || tl.Description == "" {
				t.Errorf("%s: no title or no description", tl.Name)
			}
			if strings.ContainsAny(tl.Title+tl.Description, ";→⇒\n") || strings.Contains(tl.Description, "->") || strings.Contains(tl.Description, "=>") {
				t.Errorf("%s: semicolons and arrows look like an attack to some gateways: %s", tl.Name, tl.Description)
			}
			if !tl.Anyone {
				checkScopes(t, tl)
			}
			checkObject(t, tl)
		}
	}
}

// objectless are the tools that touch no one thing that an argument names.
var objectless = []string{
	"deck_get_boards",               // all of them
	"nc_auth_check_status",          // the connection itself
	"nc_calendar_find_availability", // the person's own time
	"nc_calendar_get_free_busy",     // the time of people, whose addresses are no things
	"nc_calendar_list_calendars",    // all of them
	"nc_calendar_list_invitations",  // all of them
	"nc_calendar_list_todo_lists",   // all of them
	"nc_calendar_list_trash",        // the trash of the person
	"nc_calendar_search_todos",      // its query must stay out of the audit
	"nc_contacts_list_addressbooks", // all of them
	"nc_mail_list_accounts",         // all of them
	"nc_notes_search_notes",         // its query must stay out of the audit
	"nc_notifications_dismiss_all",  // all of them
	"nc_search",                     // its query must stay out of the audit
	"nc_share_search_recipients",    // its query must stay out of the audit
	"nc_tables_list_tables",         // all of them
	"nc_webdav_empty_trash",         // all of it
	"nc_webdav_find_by_tag",         // what people look for stays out of the audit
	"nc_webdav_list_tags",           // all of them
	"nc_webdav_list_trash",          // all of it
	"search",                        // its query must stay out of the audit
	"talk_list_conversations",       // all of them
}

// unaudited are arguments that hold what people write or look for.
var unaudited = regexp.MustCompile(`content|query|text|description|contains|body|message`)

// checkObject checks that the audit can say what a call touches, and only
// that.
func checkObject(t *testing.T, tl *tool.Tool) {
	t.Helper()
	if none := slices.Contains(objectless, tl.Name); none != (len(tl.Object) == 0) {
		t.Errorf("%s: its object is %q, listed as having none: %v", tl.Name, tl.Object, none)
	}
	decl, err := tl.MCP()
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := decl.InputSchema.(json.RawMessage)
	var schema struct {
		Properties map[string]struct {
			Type string `json:"type"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range tl.Object {
		switch kind := schema.Properties[name].Type; {
		case kind != "string" && kind != "integer":
			t.Errorf("%s: %s is no argument that names something (%q)", tl.Name, name, kind)
		case unaudited.MatchString(name) && !strings.HasSuffix(name, "_id"):
			t.Errorf("%s: %s does not belong into the audit", tl.Name, name)
		}
	}
}

// checkScopes checks that what a tool does agrees with the scope it asks for.
func checkScopes(t *testing.T, tl *tool.Tool) {
	t.Helper()
	needs := tl.Needs().Scopes()
	if slices.ContainsFunc(needs, scope.Scope.Identity) || len(needs) == 0 {
		t.Errorf("%s: needs %v, which guards no data", tl.Name, needs)
	}
	changes := slices.ContainsFunc(needs, func(s scope.Scope) bool {
		return strings.HasSuffix(string(s), ".write") || strings.HasSuffix(string(s), ".send")
	})
	if reads := tl.Effect == tool.Reads; reads == changes {
		t.Errorf("%s %s, but needs %v", tl.Name, tl.Effect, needs)
	}
	for _, s := range needs {
		if !regexp.MustCompile(`^[a-z]+\.(read|write|send)$`).MatchString(string(s)) {
			t.Errorf("%s: %q is no scope", tl.Name, s)
		}
	}
}

// TestSchemas checks what clients and model providers are known to stumble
// over.
func TestSchemas(t *testing.T) {
	aliases := map[string]map[string]string{}
	for _, set := range tools.All() {
		for _, tl := range set.Tools {
			aliases[tl.Name] = tl.Aliases
		}
	}
	for _, tl := range listed(t) {
		in, ok := tl.InputSchema.(map[string]any)
		if !ok || in["type"] != "object" {
			t.Errorf("%s: input is no object", tl.Name)
			continue
		}
		if in["properties"] == nil {
			t.Errorf("%s: input without properties, which some providers refuse", tl.Name)
		}
		out, ok := tl.OutputSchema.(map[string]any)
		if !ok || out["type"] != "object" {
			t.Errorf("%s: output is no object", tl.Name)
		}
		for _, s := range []map[string]any{in, out} {
			for _, combinator := range []string{"anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "if"} {
				if _, ok := s[combinator]; ok {
					t.Errorf("%s: %s at the top", tl.Name, combinator)
				}
			}
		}
		checkSchema(t, tl.Name+" input", in, true)
		checkSchema(t, tl.Name+" output", out, false)
		properties, _ := in["properties"].(map[string]any)
		for old, name := range aliases[tl.Name] {
			if properties[name] == nil || properties[old] != nil {
				t.Errorf("%s: alias %s of %s", tl.Name, old, name)
			}
		}
	}
}

// checkSchema checks a schema and what is below it.
func checkSchema(t *testing.T, where string, s map[string]any, input bool) {
	t.Helper()
	if _, ok := s["type"].(string); !ok {
		t.Errorf("%s: type %v", where, s["type"])
	}
	if s["type"] == "null" || slices.Contains(anys(s["enum"]), any(nil)) {
		t.Errorf("%s: null", where)
	}
	if enum, ok := s["enum"]; ok && len(anys(enum)) == 0 {
		t.Errorf("%s: an enum of nothing", where)
	}
	properties, _ := s["properties"].(map[string]any)
	for name, p := range properties {
		below := where + "." + name
		sub, ok := p.(map[string]any)
		if !ok {
			t.Errorf("%s: the schema is a bare %v", below, p)
			continue
		}
		if text, _ := sub["description"].(string); input && strings.TrimSpace(text) == "" {
			t.Errorf("%s: not described", below)
		} else if strings.ContainsAny(text, ";→⇒") {
			t.Errorf("%s: semicolon or arrow in %q", below, text)
		}
		checkSchema(t, below, sub, input)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		switch sub := s[key].(type) {
		case map[string]any:
			if len(sub) > 0 {
				checkSchema(t, where+"."+key, sub, input)
			} else {
				t.Errorf("%s: %s is anything", where, key)
			}
		case bool:
			if sub || key == "items" {
				t.Errorf("%s: %s is a bare %v", where, key, sub)
			}
		}
	}
	if input && s["type"] == "array" && s["items"] == nil {
		t.Errorf("%s: a list of anything", where)
	}
	for _, name := range anys(s["required"]) {
		if properties[name.(string)] == nil {
			t.Errorf("%s: %v is needed and not there", where, name)
		}
	}
}

func anys(v any) []any {
	list, _ := v.([]any)
	return list
}

func TestResources(t *testing.T) {
	uris, names := map[string]bool{}, map[string]bool{}
	for _, set := range tools.All() {
		for _, r := range set.Resources {
			if uris[r.URI] || names[r.Name] {
				t.Errorf("%s (%s) is there twice", r.URI, r.Name)
			}
			uris[r.URI], names[r.Name] = true, true
			if !strings.HasSuffix(string(r.Scope), ".read") {
				t.Errorf("%s needs %q: what is read has a scope to read", r.URI, r.Scope)
			}
			if strings.ContainsAny(r.Title+r.Description, ";→⇒\n") {
				t.Errorf("%s: semicolon or arrow in the description", r.URI)
			}
		}
	}
}
