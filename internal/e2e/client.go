// Package e2e drives the server as people's clients do: the official Go
// client, with a whole OAuth conversation in a browser. The tests of this
// package and the load generator use it; the product does not.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// Options are how a client behaves; nil means all defaults.
type Options struct {
	// Revision is the protocol revision the client speaks; default the newest.
	Revision string
	// Scopes are asked for instead of what the server's challenge names.
	Scopes []string
	// Transport sees every request of the client; default a new one.
	Transport http.RoundTripper
	// Tokens is told of each access token; may be nil.
	Tokens func(token string)
	// Pages sees every request of the person's browser; default a new one.
	Pages http.RoundTripper
}

const redirect = "http://127.0.0.1:33418/callback"

// Connect signs a person in at the simulated Nextcloud, as the server at
// endpoint asks for, and answers the session.
func Connect(ctx context.Context, endpoint, user, password string, opts *Options) (*mcp.ClientSession, error) {
	if opts == nil {
		opts = &Options{}
	}
	transport := opts.Transport
	if transport == nil {
		transport = &http.Transport{MaxIdleConnsPerHost: 4}
	}
	client := &http.Client{Transport: transport}
	var once sync.Once
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "End-to-end client", RedirectURIs: []string{redirect},
			GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		}},
		RedirectURL: redirect,
		Client:      client,
		ScopeFilter: func(offered []string) []string {
			wanted := offered
			// Only the first time: a step-up asks for what is missing.
			once.Do(func() {
				if opts.Scopes != nil {
					wanted = opts.Scopes
				}
			})
			return wanted
		},
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			browser := nextcloudtest.NewBrowser(user, password)
			browser.Transport = opts.Pages
			return signIn(ctx, args.URL, browser)
		},
		NewTokenSource: nil,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare sign-in: %w", err)
	}
	var oauth auth.OAuthHandler = handler
	if opts.Tokens != nil {
		oauth = &watched{handler, opts.Tokens}
	}
	c := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	session, err := c.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: client, OAuthHandler: oauth, DisableStandaloneSSE: true,
	}, &mcp.ClientSessionOptions{ProtocolVersion: opts.Revision})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return session, nil
}

// watched tells of the access tokens that an OAuth handler gives out.
type watched struct {
	*auth.AuthorizationCodeHandler
	tell func(string)
}

// TokenSource implements auth.OAuthHandler.
func (w *watched) TokenSource(ctx context.Context) (oauth2.TokenSource, error) {
	source, err := w.AuthorizationCodeHandler.TokenSource(ctx)
	if err != nil || source == nil {
		return source, err
	}
	if t, err := source.Token(); err == nil {
		w.tell(t.AccessToken)
	}
	return source, nil
}

// signIn goes through the login and consent pages as a person would.
func signIn(ctx context.Context, authorize string, browser *nextcloudtest.Browser) (*auth.AuthorizationResult, error) {
	u, err := browser.Visit(ctx, authorize, redirect)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	q := u.Query()
	if code := q.Get("error"); code != "" {
		return nil, errors.New("sign in: " + code + ": " + q.Get("error_description"))
	}
	return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
}
