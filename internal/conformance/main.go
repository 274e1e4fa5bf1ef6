// Command conformance serves the fixtures that the MCP conformance suite
// (@modelcontextprotocol/conformance) asks for through this product's own HTTP
// stack: host check, body limit, bearer, scope gate and protocol router. It is
// for tests only and no part of the product.
//
// The suite cannot send an Authorization header, so the server is reached
// through a proxy on loopback that adds one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/server"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8765", "where the suite connects to")
	flag.Parse()
	if err := run(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

const token = "conformance-suite"

// run serves until it is interrupted.
func run(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	inner, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	target := &url.URL{Scheme: "http", Host: inner.Addr().String()}
	product := &http.Server{Handler: handler(ctx, target), ReadHeaderTimeout: 10 * time.Second}
	proxy := &http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second, Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // the suite checks that foreign names are refused
			r.Out.Header.Set("Authorization", "Bearer "+token)
		},
		FlushInterval: -1,
	}}
	failed := make(chan error, 2)
	go func() { failed <- product.Serve(inner) }()
	go func() { failed <- proxy.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return errors.Join(proxy.Close(), product.Close())
	}
}

func handler(ctx context.Context, public *url.URL) http.Handler {
	s := mcp.NewServer(&mcp.Implementation{Name: "conformance-fixtures", Version: "1"}, &mcp.ServerOptions{
		CompletionHandler: func(context.Context, *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{}}}, nil
		},
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	addTools(s)
	addElicitations(s)
	addRounds(s)
	addResources(s)
	addPrompts(s)
	go updateWatched(ctx, s)
	return server.New(server.Config{
		MCP: s, Gate: open{}, Log: slog.New(slog.DiscardHandler), Public: public,
		Door:   door{},
		Issuer: func() (string, error) { return public.String(), nil },
		Health: server.Health{Mode: "oauth", Ready: func() (bool, map[string]server.Check) { return true, nil }},
	})
}

// door lets the suite's own token in.
type door struct{}

func (door) Verify(_ context.Context, t string) (*auth.Principal, error) {
	if t != token {
		return nil, &auth.Error{Status: http.StatusUnauthorized, Code: auth.CodeInvalidToken, Description: "not the suite's token"}
	}
	return &auth.Principal{Subject: "suite", Expires: time.Now().Add(time.Hour)}, nil
}

// open needs no scope for any fixture.
type open struct{}

func (open) ToolNeeds(string) (scope.Set, bool)     { return scope.Set{}, true }
func (open) ResourceNeeds(string) (scope.Set, bool) { return scope.Set{}, true }
func (open) PromptNeeds(string) (scope.Set, bool)   { return scope.Set{}, true }
func (open) Scopes() scope.Set                      { return scope.NewSet(scope.OpenID) }

// Nobody denies the suite anything.
func (open) DeniesTool(*auth.Principal, string) bool     { return false }
func (open) DeniesResource(*auth.Principal, string) bool { return false }
func (open) DeniesPrompt(*auth.Principal, string) bool   { return false }
