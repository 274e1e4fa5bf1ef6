// Package connecttest runs everything that a person meets between a client and
// Nextcloud, for tests: a simulated Nextcloud, the authorization server with
// its clients, the sign-in journey and the account pages, over a real store,
// and the browsers and clients that talk to them. It is apart from the tests
// because those of the journey and of the account pages hold the same
// conversations.
package connecttest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/account"
	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// Options say what to run; the zero value signs people in by Login Flow at a
// stock Nextcloud, below no path.
type Options struct {
	Nextcloud nextcloudtest.Options
	Method    connect.Method // Auto when empty
	OIDC      bool           // the oidc app of Nextcloud is the OpenID provider
	External  bool           // a provider outside Nextcloud is, whose tokens Nextcloud does not take
	Path      string         // of the public address
	Scopes    scope.Set      // all that can be granted; notes, calendar and files when empty
	Change    func(*connect.Config)
}

// Server is all of it.
type Server struct {
	URL     string // the public address, without a slash at its end
	Sim     *nextcloudtest.Server
	Store   *store.Store
	OAuth   *oauth.Server
	Leg     *dataleg.Leg    // of the provider's tokens
	IDP     *idptest.Server // of Options.External
	Handler http.Handler

	skew atomic.Int64 // how far the clock was put forward, in nanoseconds

	mu    sync.Mutex // guards the fields below
	ended []string
	log   strings.Builder
}

// Now is the clock of everything.
func (s *Server) Now() time.Time { return time.Now().Add(time.Duration(s.skew.Load())) }

// Forward puts the clock forward.
func (s *Server) Forward(d time.Duration) { s.skew.Add(int64(d)) }

// Ended are the grants that were reported as ended.
func (s *Server) Ended() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ended...)
}

// Log is what was logged so far.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Write adds to the log.
func (s *Server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *Server) noteEnd(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, id)
}

// Start runs it until the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{}
	o.Nextcloud.Now = s.Now
	s.Sim = nextcloudtest.Start(tb, &o.Nextcloud)
	st, err := store.Open(tb.Context(), store.Options{Path: filepath.Join(tb.TempDir(), "store.db"), Now: s.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = st.Close() })
	s.Store = st

	mux := http.NewServeMux()
	web := httptest.NewUnstartedServer(mux)
	s.URL = "http://" + web.Listener.Addr().String() + o.Path
	if err := s.build(tb, mux, &o); err != nil {
		tb.Fatal(err)
	}
	s.Handler = mux
	web.Start()
	tb.Cleanup(web.Close)
	tb.Cleanup(s.OAuth.Close)
	return s
}

// build puts the parts together as the program does.
func (s *Server) build(tb testing.TB, mux *http.ServeMux, o *Options) error {
	tb.Helper()
	public, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	base, err := url.Parse(s.Sim.URL())
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug}))
	host := nextcloud.NewHost(base, nil)
	show := pages.New(pages.Options{Base: o.Path})
	sessions := browser.New(s.Store, &browser.Options{Now: s.Now})
	var guide *connect.Guide
	unlimited := ratelimit.Rate{PerMinute: -1}
	if o.Scopes.Empty() {
		o.Scopes = scope.NewSet(scope.NotesRead, scope.NotesWrite, scope.CalendarRead, scope.CalendarWrite, scope.FilesRead, scope.FilesWrite)
	}
	s.OAuth = oauth.New(oauth.Config{
		Issuer: s.URL, Resource: s.URL + "/mcp", Scopes: func() scope.Set { return o.Scopes },
		Store: s.Store, Clients: clients.New(clients.Config{Store: s.Store, Schemes: redirect.DefaultSchemes(), BaseURL: s.URL, Log: log, Now: s.Now}),
		Begin: func(w http.ResponseWriter, r *http.Request, req *oauth.Request) { guide.Begin(w, r, req) },
		Fail: func(w http.ResponseWriter, r *http.Request, status int, code string, _ *clients.Client, detail string) {
			show.Write(w, r, status, pages.Failure{Code: code, Detail: detail})
		},
		Limits: oauth.Limits{Register: unlimited, Authorize: unlimited, Token: unlimited, ClientAuthorize: unlimited, ClientToken: unlimited},
		Log:    log, Now: s.Now, Ended: s.noteEnd,
	})
	s.Leg = dataleg.New(host, s.Store, "MCP server", log, &dataleg.Options{
		Link: func(ctx context.Context, p *auth.Principal) (string, error) { return guide.Link(ctx, p) }, Now: s.Now,
	})
	cfg := connect.Config{
		Public: public, Nextcloud: base.Host, Method: o.Method, Sessions: sessions, Store: s.Store,
		LoginFlow: signin.NewLoginFlow(host, &signin.LoginFlowOptions{Name: public.Host, Log: log, Now: s.Now, Undeleted: func(_ context.Context, p apppassword.Password) {
			tb.Errorf("an app password of %s was left behind", p.UserID)
		}}),
		Passwords: s.Leg, Answers: s.OAuth, Pages: show, Log: log, Ended: s.noteEnd, Now: s.Now,
	}
	if cfg.Method == "" {
		cfg.Method = connect.Auto
	}
	switch {
	case o.OIDC:
		cfg.OIDC, err = s.provider(host, log)
	case o.External:
		cfg.OIDC, err = s.external(tb, host, log)
	}
	if err != nil {
		return err
	}
	if o.Change != nil {
		o.Change(&cfg)
	}
	if guide, err = connect.New(cfg); err != nil {
		return err
	}
	acc, err := account.New(account.Config{
		Public: public, Nextcloud: base.Host, MCPURL: s.URL + "/mcp", Sessions: sessions, Store: s.Store,
		Pages: show, Log: log, SignIn: guide.SignIn, Ended: s.noteEnd, Now: s.Now,
	})
	if err != nil {
		return err
	}
	s.OAuth.Handle(mux, o.Path)
	guide.Handle(mux)
	acc.Handle(mux)
	return nil
}

// provider is the oidc app as OpenID provider.
func (s *Server) provider(host *nextcloud.Host, log *slog.Logger) (*signin.OIDC, error) {
	callback := s.URL + "/oauth/callback"
	own := s.Sim.AddClient(nextcloudtest.ClientConfig{Name: "MCP server", RedirectURIs: []string{callback}})
	return s.signIn(host, log, s.Sim.URL(), oidcclient.Client{ID: own.ID, Secret: auth.Secret(own.Secret)})
}

// external is a provider at which people have the names and passwords of
// nextcloudtest.DefaultUsers.
func (s *Server) external(tb testing.TB, host *nextcloud.Host, log *slog.Logger) (*signin.OIDC, error) {
	tb.Helper()
	users := idptest.DefaultUsers()
	for i := range users {
		users[i].Password = users[i].Username + "-password-1"
	}
	s.IDP = idptest.Start(tb, &idptest.Options{Users: users, Now: s.Now})
	own := s.IDP.AddClient(idptest.Client{RedirectURIs: []string{s.URL + "/oauth/callback"}})
	return s.signIn(host, log, s.IDP.URL(), oidcclient.Client{ID: own.ID, Secret: auth.Secret(own.Secret)})
}

func (s *Server) signIn(host *nextcloud.Host, log *slog.Logger, provider string, client oidcclient.Client) (*signin.OIDC, error) {
	found, err := oidcclient.Discover(context.Background(), host.HTTP(), provider+oidcclient.WellKnown, nil)
	if err != nil {
		return nil, err
	}
	callback := s.URL + "/oauth/callback"
	return signin.NewOIDC(host, func() (*oidcclient.Provider, oidcclient.Client, bool) { return found, client, true },
		signin.OIDCOptions{RedirectURI: callback, Log: log, Now: s.Now}), nil
}
