package app

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/auth/bearer"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/server"
	"nextcloud-mcp-server/internal/store"
)

// signIn finds the identity provider and this server's own client there, in
// the background, and checks bearer tokens once it is known. It implements
// auth.Verifier.
type signIn struct {
	app *app
	db  *store.Store

	current atomic.Pointer[provider]

	mu        sync.Mutex // guards the fields below
	discovery server.Check
	client    server.Check
}

// provider is the identity provider as it was last found.
type provider struct {
	meta     *oidcclient.Provider
	verifier *bearer.Verifier
}

func newSignIn(a *app, db *store.Store) *signIn {
	return &signIn{app: a, db: db, discovery: server.Check{Status: "waiting"}, client: server.Check{Status: "waiting"}}
}

var errNoProvider = &auth.Error{
	Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable,
	Description: "The identity provider is not known yet. Try again shortly.", RetryAfter: 5 * time.Second,
}

// Verify implements auth.Verifier.
func (s *signIn) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	p := s.current.Load()
	if p == nil {
		return nil, errNoProvider
	}
	return p.verifier.Verify(ctx, token)
}

// Issuer is the authorization server that clients are sent to.
func (s *signIn) Issuer() (string, error) {
	p := s.current.Load()
	if p == nil {
		return "", errNoProvider
	}
	if public := s.app.cfg.SignIn.PublicIssuer; public != "" {
		return public, nil
	}
	return p.meta.Issuer, nil
}

// refuse lets a token in no more.
func (s *signIn) refuse(token string) {
	if p := s.current.Load(); p != nil {
		p.verifier.Refuse(token)
	}
}

// checks are the two dependencies in the readiness report.
func (s *signIn) checks() (ready bool, c checks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Load() != nil && s.client.Status == "ok",
		checks{"oidc_discovery": s.discovery, "oauth_client": s.client}
}

func (s *signIn) set(check *server.Check, status, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*check = server.Check{Status: status, Detail: detail}
}

// discoveryURL is where the provider describes itself.
func (s *signIn) discoveryURL() string {
	if u := s.app.cfg.SignIn.DiscoveryURL; u != "" {
		return u
	}
	return strings.TrimSuffix(s.app.cfg.Nextcloud.Host.String(), "/") + "/.well-known/openid-configuration"
}

// run brings the sign-in up and keeps it up until ctx ends.
func (s *signIn) run(ctx context.Context) {
	meta, ok := s.discover(ctx)
	if !ok {
		return
	}
	client := s.clientFor(ctx, meta)
	s.use(meta, client)
	running := background(func() { client.Run(ctx) })
	defer running()
	if !s.awaitClient(ctx, client) {
		return
	}
	s.app.log.InfoContext(ctx, "OAuth initialization complete")
	s.app.announce(ctx)
	s.refresh(ctx, client)
}

// discover asks for the provider's description until it answers.
func (s *signIn) discover(ctx context.Context) (*oidcclient.Provider, bool) {
	log, cfg := s.app.log, s.app.cfg.SignIn
	url := s.discoveryURL()
	wait := oidcclient.Backoff{Base: cfg.BackoffBase, Max: cfg.BackoffMax}
	last := ""
	for {
		log.InfoContext(ctx, "Performing OIDC discovery: "+url)
		meta, err := s.describe(ctx)
		if err == nil {
			s.reportPKCE(ctx, meta)
			log.InfoContext(ctx, "OIDC discovery successful")
			s.set(&s.discovery, "ok", "")
			return meta, true
		}
		if ctx.Err() != nil {
			return nil, false
		}
		if err.Error() != last {
			last = err.Error()
			log.ErrorContext(ctx, "OIDC discovery failed: "+last)
			s.set(&s.discovery, "waiting", "OIDC discovery failed: "+last)
		}
		if !sleep(ctx, wait.Next()) {
			return nil, false
		}
	}
}

func (s *signIn) describe(ctx context.Context) (*oidcclient.Provider, error) {
	cfg := s.app.cfg.SignIn
	return oidcclient.Discover(ctx, s.app.host.HTTP(), s.discoveryURL(), &oidcclient.DiscoverOptions{
		Issuer: cfg.Issuer, PublicIssuer: cfg.PublicIssuer,
		JWKS: cfg.JWKSURI, Introspection: cfg.IntrospectionURI, Userinfo: cfg.UserinfoURI,
	})
}

// reportPKCE says loudly when clients will refuse the provider, and goes on.
func (s *signIn) reportPKCE(ctx context.Context, meta *oidcclient.Provider) {
	log := s.app.log
	switch meta.PKCE() {
	case oidcclient.PKCES256:
		log.InfoContext(ctx, "✓ PKCE support validated: ['S256']")
	case oidcclient.PKCEMissing:
		log.ErrorContext(ctx, "PKCE validation failed: the provider does not advertise code_challenge_methods_supported. Clients such as Claude Code refuse to sign in; update the oidc app to 1.10 or newer. Going on, because PKCE may work all the same.")
	case oidcclient.PKCEWithoutS256:
		log.WarnContext(ctx, "PKCE validation failed: the provider advertises PKCE without S256. Clients refuse to sign in; switch S256 on at the provider. Going on.")
	}
}

// ownClient is this server's own client at the provider, in mode A or B.
type ownClient interface {
	Credentials(ctx context.Context) (oidcclient.Client, error)
	InvalidClient(ctx context.Context, clientID string) error
	Ready() <-chan struct{}
	Run(ctx context.Context)
}

func (s *signIn) clientFor(ctx context.Context, meta *oidcclient.Provider) ownClient {
	cfg := s.app.cfg
	if cfg.SignIn.ClientID != "" {
		s.app.log.InfoContext(ctx, "Using pre-configured OAuth client: "+cfg.SignIn.ClientID)
		return oidcclient.Static(cfg.SignIn.ClientID, cfg.SignIn.ClientSecret)
	}
	scopes := cfg.SignIn.Scopes
	if scopes.Empty() {
		scopes = scope.NewSet(scope.OpenID, scope.Profile, scope.Email).Union(s.app.registry.Scopes())
	}
	return oidcclient.New(s.db, s.app.host.HTTP(), oidcclient.RegistrarConfig{
		Provider:             meta.Issuer,
		RegistrationEndpoint: meta.RegistrationEndpoint,
		RedirectURI:          strings.TrimSuffix(cfg.Server.PublicURL.String(), "/") + "/oauth/callback",
		Scopes:               scopes,
		Resource:             server.ResourceURL(cfg.Server.PublicURL),
		TokenType:            string(cfg.SignIn.TokenType),
	}, s.app.log, nil)
}

// use starts checking tokens against the provider.
func (s *signIn) use(meta *oidcclient.Provider, client ownClient) {
	cfg := s.app.cfg
	s.current.Store(&provider{meta: meta, verifier: bearer.New(bearer.Config{
		Issuer:           meta.Issuer,
		JWKSURI:          meta.JWKSURI,
		IntrospectionURI: meta.IntrospectionEndpoint,
		UserinfoURI:      s.userinfo(meta),
		Resource:         []string{server.ResourceURL(cfg.Server.PublicURL), cfg.Server.PublicURL.String()},
		Client: func(ctx context.Context) (string, auth.Secret, error) {
			c, err := client.Credentials(ctx)
			if err != nil {
				return "", "", fmt.Errorf("own client: %w", err)
			}
			return c.ID, c.Secret, nil
		},
		OnInvalidClient: func(ctx context.Context, id string) {
			// Registering again takes its time; the check that found out does not wait.
			go s.replaceClient(context.WithoutCancel(ctx), client, id)
		},
		// The oidc app's introspection answers only to whom a token is for.
		TrustIntrospection: s.onNextcloud(meta.IntrospectionEndpoint, "/apps/oidc/introspect"),
		ScopePrefix:        cfg.SignIn.ResourceServerID,
		ClientIDAsAudience: cfg.SignIn.ResourceServerID != "",
		HTTP:               s.app.host.HTTP(),
		Log:                s.app.log,
	}, nil)})
}

func (s *signIn) replaceClient(ctx context.Context, client ownClient, id string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := client.InvalidClient(ctx, id); err != nil {
		s.app.log.WarnContext(ctx, "The provider refuses this server's OAuth client: "+err.Error())
	}
}

// userinfo is the endpoint that is asked about opaque tokens when there is no
// introspection. It cannot say for whom a token was issued, so it is used only
// where nothing better exists: Nextcloud's oidc app before 1.10, or when an
// administrator named it.
func (s *signIn) userinfo(meta *oidcclient.Provider) string {
	switch {
	case meta.IntrospectionEndpoint != "" || meta.UserinfoEndpoint == "":
		return ""
	case s.app.cfg.SignIn.UserinfoURI == "" && !s.onNextcloud(meta.UserinfoEndpoint, "/apps/oidc/userinfo"):
		return ""
	}
	s.app.log.Warn("The provider offers no introspection, so opaque tokens are checked at its userinfo endpoint, which does not say for whom they were issued: every client of this provider gets in. Update the oidc app to 1.10 or newer.")
	return meta.UserinfoEndpoint
}

// onNextcloud reports whether an endpoint is the given one of an app on our
// Nextcloud.
func (s *signIn) onNextcloud(endpoint, path string) bool {
	for _, base := range []string{s.app.cfg.Nextcloud.Host.String(), s.app.cfg.Nextcloud.Public.String()} {
		rest, ok := strings.CutPrefix(endpoint, strings.TrimSuffix(base, "/"))
		if ok && (rest == path || rest == "/index.php"+path) {
			return true
		}
	}
	return false
}

// awaitClient waits until this server has its own client, and says meanwhile
// why it has none.
func (s *signIn) awaitClient(ctx context.Context, client ownClient) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-client.Ready():
			s.set(&s.client, "ok", "")
			return true
		case <-time.After(time.Second):
		}
		if _, err := client.Credentials(ctx); err != nil {
			s.set(&s.client, "waiting", err.Error())
		}
	}
}

// refresh looks from time to time whether the provider moved its endpoints.
func (s *signIn) refresh(ctx context.Context, client ownClient) {
	for sleep(ctx, time.Hour) {
		meta, err := s.describe(ctx)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				s.app.log.WarnContext(ctx, "OIDC discovery failed; keeping what is known", "error", err)
			}
		case !reflect.DeepEqual(meta, s.current.Load().meta):
			s.app.log.InfoContext(ctx, "The identity provider changed its endpoints")
			s.use(meta, client)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
