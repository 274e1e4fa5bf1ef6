package tool_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestResources(t *testing.T) {
	session := connect(t, setup{})
	for uri, want := range map[string]*mcp.ResourceContents{
		"nc://notes/settings":            {MIMEType: "application/json", Text: `{"folder":"Notes"}`},
		"nc://notes/17":                  {MIMEType: "text/plain", Text: "note 17"},
		"nc://notes/a%20b":               {MIMEType: "text/plain", Text: "note a b"},
		"nc://notes/..%2F..":             {MIMEType: "text/plain", Text: "note ../.."},
		"nc://notes/blob":                {MIMEType: "image/png", Blob: []byte{0, 1, 255}},
		"nc://notes/17/files/%C3%A9.png": {Text: "17|é.png"},
	} {
		t.Run(uri, func(t *testing.T) {
			got, err := read(t, session, uri)
			if err != nil {
				t.Fatal(err)
			}
			want.URI = uri
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestResourceNotFound checks the code of each protocol generation
// (2026-07-28: -32602, before: -32002).
func TestResourceNotFound(t *testing.T) {
	for version, code := range map[string]int64{"2026-07-28": jsonrpc.CodeInvalidParams, "2025-11-25": mcp.CodeResourceNotFound} { //nolint:staticcheck // older clients know that code
		t.Run(version, func(t *testing.T) {
			session := connect(t, setup{version: version})
			for _, uri := range []string{"nc://notes/missing", "nc://never/1", "", "nc://notes/1/2/3", "nc://notes/" + strings.Repeat("x", 100_000)} {
				_, err := read(t, session, uri)
				var wire *jsonrpc.Error
				if !errors.As(err, &wire) || wire.Code != code {
					t.Errorf("%.40q: %.200v, want the code %d", uri, err, code)
				}
			}
		})
	}
}

func TestResourceError(t *testing.T) {
	var log logBuffer
	session := connect(t, setup{log: log.logger(slog.LevelInfo)})
	_, err := read(t, session, "nc://notes/broken")
	var wire *jsonrpc.Error
	if !errors.As(err, &wire) || wire.Code != jsonrpc.CodeInternalError {
		t.Fatalf("%v", err)
	}
	ref := reference.FindStringSubmatch(wire.Message)
	if ref == nil || strings.Contains(wire.Message, "hunter2") || strings.Count(log.String(), ref[1]) != 1 {
		t.Errorf("%s\n%s", wire.Message, log.String())
	}
}

func TestResourceLists(t *testing.T) {
	session := connect(t, setup{})
	fixed, err := session.ListResources(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	templates, err := session.ListResourceTemplates(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range fixed.Resources {
		got = append(got, r.URI)
	}
	for _, r := range templates.ResourceTemplates {
		got = append(got, r.URITemplate)
	}
	if diff := cmp.Diff([]string{"nc://notes/settings", "nc://notes/{id}", "nc://notes/{id}/files/{name}"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
