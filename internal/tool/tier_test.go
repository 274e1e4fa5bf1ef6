package tool_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/tool"
)

// TestTiers: how many tools a list shows is the client's choice up to what is
// offered, and hides none from being called.
func TestTiers(t *testing.T) {
	highest := map[tool.Tier]string{tool.Core: "nc_echo", tool.Extended: "nc_extended", tool.Complete: "nc_complete"}
	for _, c := range []struct {
		client, header string
		selection      tool.Selection
		want           tool.Tier
	}{
		{"x", "", tool.Selection{Tier: tool.Complete, Auto: true}, tool.Core},
		{"claude-code", "", tool.Selection{Tier: tool.Complete, Auto: true}, tool.Complete},
		{"claude-code", "core", tool.Selection{Tier: tool.Complete, Auto: true}, tool.Core},
		{"x", "complete", tool.Selection{Tier: tool.Complete, Auto: true}, tool.Complete},
		{"x", "extended", tool.Selection{Tier: tool.Complete, Auto: true}, tool.Extended},
		{"x", "", tool.Selection{Tier: tool.Extended}, tool.Extended},
		{"x", "complete", tool.Selection{Tier: tool.Extended}, tool.Extended},
		{"claude-code", "", tool.Selection{Tier: tool.Core}, tool.Core},
		{"x", "core", tool.Selection{Tier: tool.Complete}, tool.Core},
		{"x", "nonsense", tool.Selection{Tier: tool.Complete}, tool.Complete},
	} {
		registry, _ := tool.Select(sample(), c.selection)
		server := mcp.NewServer(&mcp.Implementation{Name: "sample", Version: "1"}, nil)
		err := registry.Register(server, tool.Binding{Clients: &clients{}, Log: slog.New(slog.DiscardHandler), Single: &own.Principal{Trusted: true}})
		if err != nil {
			t.Fatal(err)
		}
		server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
				if r, ok := req.(*mcp.ServerRequest[*mcp.ListToolsParams]); ok {
					r.Extra = &mcp.RequestExtra{Header: http.Header{}}
					r.Extra.Header.Set(tool.TierHeader, c.header)
				}
				return next(ctx, method, req)
			}
		})
		there, here := mcp.NewInMemoryTransports()
		if _, err := server.Connect(t.Context(), there, nil); err != nil {
			t.Fatal(err)
		}
		session, err := mcp.NewClient(&mcp.Implementation{Name: c.client, Version: "1"}, nil).Connect(t.Context(), here, nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for tl, err := range session.Tools(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, tl.Name)
		}
		for tier, name := range highest {
			if slices.Contains(names, name) != (tier <= c.want) {
				t.Errorf("%s with %q of %s: %s is listed: %v, want tier %s", c.client, c.header, c.selection.Tier, name, tier > c.want, c.want)
			}
		}
		if text, failed := call(t, session, "nc_extended", nil); failed && c.selection.Tier >= tool.Extended {
			t.Errorf("a tool that is offered and not listed is refused: %s", text)
		}
		_ = session.Close()
	}
}

func TestTierNamesWin(t *testing.T) {
	session := connect(t, setup{selection: tool.Selection{Tier: tool.Complete, Auto: true, Tools: []string{"nc_complete"}}})
	tools, err := session.ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) != 1 || tools.Tools[0].Name != "nc_complete" {
		t.Errorf("%+v, %v", tools, err)
	}
}
