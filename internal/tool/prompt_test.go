package tool_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

func samplePrompts() []tool.Prompt {
	return []tool.Prompt{
		{
			Name: "echo_it", Title: "Echo", Description: "Echoes.", Tools: []string{"nc_echo"},
			Arguments: []tool.PromptArgument{{Name: "what", Description: "what", Required: true}, {Name: "how", Description: "how"}},
			Text:      func(args map[string]string) string { return "echo " + args["what"] + "|" + args["how"] },
		},
		{
			Name: "both_of_them", Title: "Both", Description: "Both.", Tools: []string{"nc_echo", "nc_deck_both"},
			Text: func(map[string]string) string { return "both" },
		},
		{
			Name: "no_such_tool", Title: "None", Description: "None.", Tools: []string{"nc_echo", "nc_absent"},
			Text: func(map[string]string) string { return "none" },
		},
	}
}

// prompted connects a client to the sample's tools and prompts.
func prompted(t *testing.T, p *own.Principal) (*mcp.ClientSession, *tool.Registry) {
	t.Helper()
	registry, _ := tool.Select(sample(), tool.Selection{Tier: tool.Complete})
	registry.AddPrompts(samplePrompts())
	server := mcp.NewServer(&mcp.Implementation{Name: "sample", Version: "1"}, nil)
	if err := registry.Register(server, tool.Binding{Clients: &clients{}, Log: slog.New(slog.DiscardHandler), Single: p}); err != nil {
		t.Fatal(err)
	}
	there, here := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session, registry
}

func promptNames(t *testing.T, s *mcp.ClientSession) string {
	t.Helper()
	var names []string
	for p, err := range s.Prompts(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

func TestPrompts(t *testing.T) {
	session, registry := prompted(t, &own.Principal{Trusted: true})
	if got := promptNames(t, session); got != "both_of_them echo_it" {
		t.Errorf("prompts %q", got)
	}
	get := func(name string, args map[string]string) (string, error) {
		res, err := session.GetPrompt(context.Background(), &mcp.GetPromptParams{Name: name, Arguments: args})
		if err != nil {
			return "", err
		}
		text, _ := res.Messages[0].Content.(*mcp.TextContent)
		return text.Text, nil
	}
	if text, err := get("echo_it", map[string]string{"what": " hello\u202e ", "how": ""}); err != nil || text != "echo hello|" {
		t.Errorf("%q, %v", text, err)
	}
	for want, args := range map[string]map[string]string{
		"what is missing":                     {"how": "x"},
		"what is longer than 1000 characters": {"what": strings.Repeat("x", 1001)},
		`there is no argument "else"`:         {"what": "x", "else": "y"},
	} {
		if _, err := get("echo_it", args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
	needs, offered := registry.PromptNeeds("both_of_them")
	if !offered || needs.String() != "deck.write files.read notes.read" {
		t.Errorf("needs %s, %v", needs, offered)
	}
	if _, offered := registry.PromptNeeds("no_such_tool"); offered {
		t.Error("a prompt is offered whose tools are not")
	}
}

// TestDeniedPrompts: a prompt whose tools a person denies is hidden and
// refused.
func TestDeniedPrompts(t *testing.T) {
	for name, c := range map[string]struct {
		policy policy.Policy
		shown  string
	}{
		"refused scope": {policy.Policy{Refused: []string{"deck.write"}}, "echo_it"},
		"paused":        {policy.Policy{Paused: true}, ""},
		"folders":       {policy.Policy{Folders: []string{"/a"}}, "echo_it"},
		"read-only":     {policy.Policy{ReadOnly: true}, "echo_it"},
	} {
		p := &own.Principal{Scopes: scope.NewSet(scope.NotesRead), Policy: c.policy}
		session, registry := prompted(t, p)
		if got := promptNames(t, session); got != c.shown {
			t.Errorf("%s: prompts %q, want %q", name, got, c.shown)
		}
		if _, err := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "both_of_them"}); err == nil {
			t.Errorf("%s: a denied prompt is answered", name)
		}
		if !registry.DeniesPrompt(p, "both_of_them") {
			t.Errorf("%s: the gate does not deny it", name)
		}
	}
}
