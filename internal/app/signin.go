package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/auth/bearer"
	"nextcloud-mcp-server/internal/config"
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
	// optional says that people can sign in without a provider, by Login Flow.
	optional bool

	current atomic.Pointer[provider]
	ended   *expirable.LRU[[sha256.Size]byte, struct{}] // outlives the verifiers
	invalid chan string                                 // ids of our own client that the provider refused
	ready   sync.Once

	mu        sync.Mutex // guards the fields below
	discovery server.Check
	refusal   error // why the provider refuses our client
	refusedAt time.Time
}

// provider is the identity provider as it was last found.
type provider struct {
	meta     *oidcclient.Provider
	client   ownClient
	verifier *bearer.Verifier
}

const (
	maxEnded = 8192
	// endedKept is longer than access tokens live.
	endedKept = 24 * time.Hour
	// refusalShown is how long a refused client is reported: it is tried again
	// every minute while tokens come.
	refusalShown = 5 * time.Minute
)

func newSignIn(a *app, db *store.Store, optional bool) *signIn {
	return &signIn{
		optional: optional,
		app:      a, db: db, discovery: server.Check{Status: "waiting"}, invalid: make(chan string, 1),
		ended: expirable.NewLRU[[sha256.Size]byte, struct{}](maxEnded, nil, endedKept),
	}
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
	if s.ended.Contains(sha256.Sum256([]byte(token))) {
		return nil, errEnded
	}
	return p.verifier.Verify(ctx, token)
}

var errEnded = &auth.Error{
	Status: http.StatusUnauthorized, Code: auth.CodeInvalidToken, Description: "the access token is no longer accepted",
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
	s.ended.Add(sha256.Sum256([]byte(token)), struct{}{})
	if p := s.current.Load(); p != nil {
		p.verifier.Refuse(token)
	}
}

// checks are the two dependencies in the readiness report.
func (s *signIn) checks(ctx context.Context) (ready bool, c checks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client := server.Check{Status: "waiting"}
	if p := s.current.Load(); p != nil {
		_, err := p.client.Credentials(ctx)
		switch {
		case err != nil:
			client.Detail = err.Error()
		case s.refusal != nil && time.Since(s.refusedAt) < refusalShown:
			client, ready = server.Check{Status: "problem", Detail: s.refusal.Error()}, true
		default:
			client, ready = server.Check{Status: "ok"}, true
		}
	}
	return ready || s.optional, checks{"oidc_discovery": s.discovery, "oauth_client": client}
}

func (s *signIn) setDiscovery(status, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discovery = server.Check{Status: status, Detail: detail}
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
	if s.app.cfg.SignIn.Method == config.LoginFlowMethod {
		s.setDiscovery("ok", "not used: people sign in with Login Flow v2")
		s.announce(ctx)
		return
	}
	meta, ok := s.discover(ctx)
	for ok {
		meta, ok = s.serve(ctx, meta)
	}
}

// serve works with the provider as meta describes it, and answers the next
// description when that changes.
func (s *signIn) serve(ctx context.Context, meta *oidcclient.Provider) (changed *oidcclient.Provider, ok bool) {
	client := s.clientFor(ctx, meta)
	s.use(meta, client)
	work, stop := context.WithCancel(ctx)
	running := background(
		func() { client.Run(work) },
		func() { s.replaceRefused(work, client) },
		func() { s.awaitClient(work, client) },
	)
	defer func() { stop(); running() }()
	return s.watch(ctx, meta, client)
}

// discover asks for the provider's description until it answers.
func (s *signIn) discover(ctx context.Context) (*oidcclient.Provider, bool) {
	log, cfg := s.app.log, s.app.cfg.SignIn
	url := s.discoveryURL()
	wait := oidcclient.Backoff{Base: cfg.BackoffBase, Max: cfg.BackoffMax}
	if s.optional {
		wait.Max = max(wait.Max, time.Minute) // a stock Nextcloud has none
	}
	last := ""
	for {
		log.InfoContext(ctx, "Performing OIDC discovery: "+url)
		meta, err := s.describe(ctx)
		if err == nil {
			s.reportPKCE(ctx, meta)
			log.InfoContext(ctx, "OIDC discovery successful")
			s.setDiscovery("ok", "")
			return meta, true
		}
		if ctx.Err() != nil {
			return nil, false
		}
		if err.Error() != last {
			last = err.Error()
			if s.optional {
				log.InfoContext(ctx, "No OpenID provider to sign in at ("+err.Error()+"); people sign in with Nextcloud's Login Flow v2")
			} else {
				log.ErrorContext(ctx, discoveryFailed(err))
			}
			s.setDiscovery("waiting", problemOf(err))
		}
		if s.optional {
			s.announce(ctx)
		}
		if !sleep(ctx, wait.Next()) {
			return nil, false
		}
	}
}

// discoveryFailed is the guide's words, once.
func discoveryFailed(err error) string {
	const text = "OIDC discovery failed"
	if said := err.Error(); strings.HasPrefix(said, text) {
		return said
	}
	return text + ": " + err.Error()
}

// problemOf is what is wrong, without the address: the report is open to
// anybody, and the address may be of an internal network.
func problemOf(err error) string {
	var e *oidcclient.DiscoveryError
	if errors.As(err, &e) && e.Message != "" {
		return "OIDC discovery failed: " + e.Message
	}
	return "OIDC discovery failed"
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
		if s.app.cfg.SignIn.AuthorizationServer == config.Self {
			log.InfoContext(ctx, "The provider does not advertise PKCE; it is used all the same. Clients are not concerned: they talk to this server.")
			return
		}
		log.ErrorContext(ctx, "PKCE validation failed: the provider does not advertise code_challenge_methods_supported. Clients such as Claude Code refuse to sign in; update the oidc app to 1.10 or newer. Going on, because PKCE may work all the same.")
	case oidcclient.PKCEWithoutS256:
		log.WarnContext(ctx, "PKCE validation failed: the provider advertises PKCE without S256. Clients refuse to sign in; switch S256 on at the provider. Going on.")
	}
}

// ownClient is this server's own client at the provider, in mode A or B.
type ownClient interface {
	Credentials(ctx context.Context) (oidcclient.Client, error)
	Lookup(ctx context.Context, clientID string) (oidcclient.Client, error)
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
		scopes = scope.NewSet(scope.OpenID, scope.Profile, scope.Email)
		if cfg.SignIn.AuthorizationServer == config.Self {
			// Nobody but this server uses the client, to know who somebody is.
			scopes = scopes.Union(scope.NewSet(scope.OfflineAccess))
		} else {
			scopes = scopes.Union(s.app.registry.Scopes())
		}
	}
	return oidcclient.New(s.db, s.app.host.HTTP(), oidcclient.RegistrarConfig{
		Provider:             meta.Issuer,
		RegistrationEndpoint: meta.RegistrationEndpoint,
		RedirectURI:          cfg.Server.PublicURL.String() + callbackPath,
		Scopes:               scopes,
		Resource:             server.ResourceURL(cfg.Server.PublicURL),
		TokenType:            string(cfg.SignIn.TokenType),
	}, s.app.log, nil)
}

// use starts checking tokens against the provider.
func (s *signIn) use(meta *oidcclient.Provider, client ownClient) {
	cfg := s.app.cfg
	s.current.Store(&provider{meta: meta, client: client, verifier: bearer.New(bearer.Config{
		Issuer:           meta.Issuer,
		JWKSURI:          meta.JWKSURI,
		IntrospectionURI: meta.IntrospectionEndpoint,
		UserinfoURI:      s.userinfo(meta),
		Resource:         append(server.ResourceURLs(cfg.Server.PublicURL), cfg.Server.PublicURL.String()),
		Client: func(ctx context.Context) (string, auth.Secret, error) {
			c, err := client.Credentials(ctx)
			if err != nil {
				return "", "", fmt.Errorf("own client: %w", err)
			}
			return c.ID, c.Secret, nil
		},
		OnInvalidClient: func(_ context.Context, id string) { s.clientRefused(id) },
		// The oidc app's introspection answers only to whom a token is for.
		TrustIntrospection: s.onNextcloud(meta.IntrospectionEndpoint, "/apps/oidc/introspect"),
		ScopePrefix:        cfg.SignIn.ResourceServerID,
		ClientIDAsAudience: cfg.SignIn.ResourceServerID != "",
		HTTP:               s.app.host.HTTP(),
		Log:                s.app.log,
	}, nil)})
}

// clientRefused notes that the provider refuses our own client. Registering
// again takes its time, and whoever found out does not wait.
func (s *signIn) clientRefused(id string) {
	select {
	case s.invalid <- id:
	default: // one is being replaced already
	}
}

// Provider is the provider with our own client there, for people who sign in;
// false while there is none.
func (s *signIn) Provider() (*oidcclient.Provider, oidcclient.Client, bool) {
	p := s.current.Load()
	if p == nil || s.app.cfg.SignIn.Method == config.LoginFlowMethod {
		return nil, oidcclient.Client{}, false
	}
	client, err := p.client.Credentials(context.Background()) // known, or not
	if err != nil {
		return nil, oidcclient.Client{}, false
	}
	return p.meta, client, true
}

// lookup is a client of ours that something was begun with.
func (s *signIn) lookup(ctx context.Context, clientID string) (oidcclient.Client, error) {
	p := s.current.Load()
	if p == nil {
		return oidcclient.Client{}, errNoProvider
	}
	return p.client.Lookup(ctx, clientID)
}

// replaceRefused registers again, where that is possible, each time the
// provider refused our own client.
func (s *signIn) replaceRefused(ctx context.Context, client ownClient) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-s.invalid:
			limited, cancel := context.WithTimeout(ctx, time.Minute)
			err := client.InvalidClient(limited, id)
			cancel()
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.app.log.WarnContext(ctx, "The provider refuses this server's OAuth client: "+err.Error())
			}
			s.mu.Lock()
			s.refusal, s.refusedAt = err, time.Now()
			s.mu.Unlock()
		}
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

// awaitClient says that clients can connect as soon as this server has its own
// client for the first time.
func (s *signIn) awaitClient(ctx context.Context, client ownClient) {
	select {
	case <-ctx.Done():
	case <-client.Ready():
		s.announce(ctx)
	case <-s.enough():
		s.announce(ctx)
	}
}

// enough fires when people need not wait any longer for a client at the
// provider.
func (s *signIn) enough() <-chan time.Time {
	if !s.optional {
		return nil
	}
	return time.After(5 * time.Second)
}

// announce says, once, that people can sign in.
func (s *signIn) announce(ctx context.Context) {
	s.ready.Do(func() {
		s.app.log.InfoContext(ctx, "OAuth initialization complete")
		s.app.announce(ctx)
	})
}

// watch looks from time to time whether the provider describes itself in
// another way, and answers that; ok is false when ctx ended.
func (s *signIn) watch(ctx context.Context, meta *oidcclient.Provider, client ownClient) (changed *oidcclient.Provider, ok bool) {
	last, failing := time.Now(), false
	for {
		if !sleep(ctx, s.app.cfg.SignIn.BackoffMax) {
			return nil, false
		}
		// Without a client, an administrator may be switching registration on
		// just now.
		if _, err := client.Credentials(ctx); err == nil && !failing && time.Since(last) < seldom {
			continue
		}
		last = time.Now()
		now, err := s.describe(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, false
		case err != nil:
			s.setDiscovery("problem", problemOf(err))
			if !failing {
				s.app.log.WarnContext(ctx, discoveryFailed(err)+"; keeping what is known")
			}
		case !reflect.DeepEqual(now, meta):
			s.app.log.InfoContext(ctx, "The identity provider describes itself anew")
			s.setDiscovery("ok", "")
			return now, true
		default:
			s.setDiscovery("ok", "")
		}
		failing = err != nil
	}
}

// seldom is how often a provider is looked at that may have changed.
const seldom = 10 * time.Minute

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
