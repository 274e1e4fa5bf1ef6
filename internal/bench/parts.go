package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	verify "nextcloud-mcp-server/internal/auth/bearer"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("alice", os.Getenv("NEXTCLOUD_PASSWORD"))
	req.Header.Set("OCS-APIRequest", "true")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", req.URL.Path, res.Status)
	}
	return io.ReadAll(res.Body)
}

// sample is the input of a tool of ordinary size.
type sample struct {
	ID      int      `json:"id" jsonschema:"the id from an earlier answer"`
	Title   string   `json:"title,omitempty" jsonschema:"the new title"`
	Content string   `json:"content,omitempty" jsonschema:"the new content in Markdown"`
	Tags    []string `json:"tags,omitempty" jsonschema:"tags to set"`
	ETag    string   `json:"etag" jsonschema:"the etag from the last read"`
}

// registerMany is the time to register 200 tools, which adds to the start.
func registerMany() (row, error) {
	group := tool.Group[*nextcloud.Client]{Name: "bench", Title: "Bench", Client: func(c *nextcloud.Client) *nextcloud.Client { return c }}
	for i := range 200 {
		group.Tools = append(group.Tools, tool.New(tool.Def{
			Name: fmt.Sprintf("nc_bench_%03d", i), Title: "Sample", Description: "A sample.",
			Scope: scope.NotesWrite, Effect: tool.Updates, Tier: tool.Core,
		}, func(context.Context, *nextcloud.Client, sample) (sample, error) { return sample{}, nil }))
	}
	best := time.Hour
	for range rounds {
		began := time.Now()
		registry, _ := tool.Select([]tool.Set{group.Set()}, tool.Selection{Tier: tool.Core})
		server := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
		if err := registry.Register(server, tool.Binding{Log: slog.New(slog.DiscardHandler)}); err != nil {
			return row{}, err
		}
		best = min(best, time.Since(began))
	}
	return row{"registration of 200 tools (the start may take 150 ms with it)", milliseconds(best), 90, "ms"}, nil
}

// cachedCheck is the time to check a token that was checked before.
func cachedCheck() (row, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return row{}, err
	}
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(keys) }))
	defer issuer.Close()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}},
		(&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return row{}, err
	}
	const resource = "https://mcp.example.org/mcp"
	now := time.Now()
	token, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": issuer.URL, "sub": "alice", "aud": resource, "client_id": "bench", "scope": "notes.read",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}).Serialize()
	if err != nil {
		return row{}, err
	}
	v := verify.New(verify.Config{Issuer: issuer.URL, JWKSURI: issuer.URL, Resource: []string{resource}}, nil)
	ctx := context.Background()
	if _, err := v.Verify(ctx, token); err != nil {
		return row{}, fmt.Errorf("check a token: %w", err)
	}
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Verify(ctx, token); err != nil {
				b.Fatal(err)
			}
		}
	})
	return row{"check of a cached token", float64(result.NsPerOp()) / 1000, 5, "us"}, nil
}
