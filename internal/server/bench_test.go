package server

import (
	"context"
	"fmt"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// benchInput and benchOutput are of an ordinary size.
type benchInput struct {
	Query  string `json:"query" jsonschema:"words that must all occur"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 20, at most 100"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
}

type benchOutput struct {
	Items      []string `json:"items"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

func manyTools(n int) []tool.Set {
	g := tool.Group[*nextcloud.Client]{Name: "many", Title: "Many", Client: func(c *nextcloud.Client) *nextcloud.Client { return c }}
	for i := range n {
		g.Tools = append(g.Tools, tool.New(tool.Def{
			Name: fmt.Sprintf("nc_many_%03d", i), Title: "Search many", Description: "Find many by words in title or text, best first.",
			Scope: scope.NotesRead, Effect: tool.Reads, Tier: tool.Core,
		}, func(context.Context, *nextcloud.Client, benchInput) (*benchOutput, error) {
			return &benchOutput{Items: []string{}}, nil
		}))
	}
	return []tool.Set{g.Set()}
}

// BenchmarkCall is one call through the whole HTTP side, by client and server
// together.
func BenchmarkCall(b *testing.B) {
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		b.Run(version, func(b *testing.B) {
			session := newStack(b, manyTools(1), nil).connect(b, "alice", version)
			args := map[string]any{"query": "x", "limit": 5}
			b.ReportAllocs()
			for b.Loop() {
				if res, err := session.CallTool(b.Context(), &mcp.CallToolParams{Name: "nc_many_000", Arguments: args}); err != nil || res.IsError {
					b.Fatal(res, err)
				}
			}
		})
	}
}

func BenchmarkList200Tools(b *testing.B) {
	session := newStack(b, manyTools(200), nil).connect(b, "alice", "2026-07-28")
	b.ReportAllocs()
	for b.Loop() {
		if list, err := session.ListTools(b.Context(), nil); err != nil || len(list.Tools) != 201 {
			b.Fatal(list, err)
		}
	}
}
