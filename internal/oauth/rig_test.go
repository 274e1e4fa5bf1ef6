package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

const (
	issuer   = "https://mcp.example.com/nc"
	resource = issuer + "/mcp"
	local    = "http://127.0.0.1/callback"
)

var (
	notes    = scope.NewSet(scope.NotesRead, scope.NotesWrite)
	calendar = scope.NewSet(scope.CalendarRead, scope.CalendarWrite)
	all      = notes.Union(calendar)
)

// rig is an authorization server over a real store, whose people consent at
// once.
type rig struct {
	*oauth.Server
	store *store.Store
	mux   *http.ServeMux
	log   strings.Builder
	skew  atomic.Int64 // how far the clock was put forward, in nanoseconds

	mu     sync.Mutex
	lost   error            // what finding clients answers, when set
	began  []*oauth.Request // authorization requests that reached sign-in
	failed []string         // page codes shown
	ended  []string
}

// directory is the real one, with a store that can be made to fail.
type directory struct {
	*clients.Directory
	rig *rig
}

func (d directory) Find(ctx context.Context, id string) (*clients.Client, error) {
	d.rig.mu.Lock()
	err := d.rig.lost
	d.rig.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.Directory.Find(ctx, id)
}

// The clients.
const (
	app    = "ncmcp_client_app"
	other  = "ncmcp_client_other"
	modest = "ncmcp_client_modest" // registered with a scope
	brief  = "ncmcp_client_brief"  // takes no refresh tokens
	secret = "configured"          // by the configuration, with scopes and a secret
	webApp = "https://web.example/client"
)

// web is where the document of webApp is.
type web struct{}

func (web) Get(context.Context, string) (*safehttp.Answer, error) {
	return &safehttp.Answer{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"client_id":"` + webApp + `","client_name":"Web","redirect_uris":["` + local + `"],"token_endpoint_auth_method":"none"}`),
	}, nil
}

func newRig(tb testing.TB, change ...func(*oauth.Config)) *rig {
	tb.Helper()
	r := &rig{mux: http.NewServeMux()}
	now := func() time.Time { return time.Now().Add(time.Duration(r.skew.Load())) }
	st, err := store.Open(tb.Context(), store.Options{Path: filepath.Join(tb.TempDir(), "store.db"), Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = st.Close() })
	r.store = st
	both := []string{"authorization_code", "refresh_token"}
	one := []string{"https://app.example/cb"}
	for _, c := range []store.Client{
		{ID: app, RedirectURIs: append(one, "https://app.example/cb?tenant=a%20b", local, "cursor://anysphere/cb"), GrantTypes: both},
		{ID: other, RedirectURIs: one, GrantTypes: both},
		{ID: modest, RedirectURIs: one, GrantTypes: both, Scope: "openid notes.read"},
		{ID: brief, RedirectURIs: one, GrantTypes: both[:1]},
	} {
		c.Name, c.AuthMethod, c.CreatedAt, c.LastUsedAt = c.ID, clients.AuthNone, now(), now()
		if err := st.PutClient(tb.Context(), c); err != nil {
			tb.Fatal(err)
		}
	}
	known := clients.New(clients.Config{
		Store: st, Documents: web{}, Schemes: redirect.DefaultSchemes(), BaseURL: issuer, Now: now,
		Configured: []clients.Client{{
			ID: secret, Name: "Configured", AuthMethod: clients.AuthPost, Secret: store.HashOf("s3cret"),
			RedirectURIs: one, Scope: "notes.read notes.write",
		}},
	})
	cfg := oauth.Config{
		Issuer: issuer, Resource: resource, Store: st, Now: now,
		Clients: directory{known, r},
		Scopes:  func() scope.Set { return all },
		Log:     slog.New(slog.NewTextHandler(&lockedWriter{rig: r}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Limits:  oauth.Limits{Register: off, Authorize: off, Token: off, ClientAuthorize: off, ClientToken: off},
		Begin: func(w http.ResponseWriter, _ *http.Request, req *oauth.Request) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.began = append(r.began, req)
			w.WriteHeader(http.StatusTeapot)
		},
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, code string, _ *clients.Client, _ string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.failed = append(r.failed, code)
			w.WriteHeader(status)
		},
		Ended: func(id string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ended = append(r.ended, id)
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	r.Server = oauth.New(cfg)
	tb.Cleanup(r.Close)
	r.Handle(r.mux, "/nc")
	return r
}

// lockedWriter is the rig's log.
type lockedWriter struct{ rig *rig }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.rig.mu.Lock()
	defer w.rig.mu.Unlock()
	return w.rig.log.Write(p)
}

func (r *rig) forward(d time.Duration) { r.skew.Add(int64(d)) }

func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.skew.Load())) }

func (r *rig) do(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, req)
	return w
}

func (r *rig) post(path string, form url.Values) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(req)
}

var verifier = strings.Repeat("v", 43)

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// wellFormed is an authorization request of the client app.
func wellFormed() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {app}, "redirect_uri": {"https://app.example/cb"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
		"state": {"st+a t&e"}, "scope": {"notes.read notes.write"}, "resource": {resource},
	}
}

// with is values with some replaced, or taken away where the value is empty.
func with(values url.Values, pairs ...string) url.Values {
	out := maps.Clone(values)
	for i := 0; i < len(pairs); i += 2 {
		if out.Del(pairs[i]); pairs[i+1] != "" {
			out.Set(pairs[i], pairs[i+1])
		}
	}
	return out
}

// connect makes an active grant of a person for a client.
func (r *rig) connect(tb testing.TB, user, clientID string, scopes scope.Set) store.Grant {
	tb.Helper()
	g := store.Grant{
		ID: user + "-" + clientID, State: store.GrantActive,
		UserID: nextcloud.UserID(user), LoginName: nextcloud.LoginName(user), DisplayName: strings.ToUpper(user),
		Issuer: "https://cloud.example.com", Method: store.ByLoginFlow, ClientID: clientID, ClientKind: store.ClientRegistered,
		Scopes: scopes, Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: "pass-" + "word", Host: "https://cloud.example.com"},
	}
	if err := r.store.CreateGrant(tb.Context(), g); err != nil {
		tb.Fatal(err)
	}
	return g
}

// approve asks for authorization and consents; it answers what the client got.
func (r *rig) approve(tb testing.TB, g store.Grant, ask url.Values) url.Values {
	tb.Helper()
	w := r.do(httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+ask.Encode(), nil))
	if w.Code != http.StatusTeapot {
		tb.Fatalf("authorize: status %d, %s", w.Code, w.Header().Get("Location"))
	}
	r.mu.Lock()
	req := r.began[len(r.began)-1]
	r.mu.Unlock()
	to, err := r.Approve(tb.Context(), req, g, req.Scopes)
	if err != nil {
		tb.Fatal(err)
	}
	return queryOf(tb, to)
}

func queryOf(tb testing.TB, location string) url.Values {
	tb.Helper()
	u, err := url.Parse(location)
	if err != nil {
		tb.Fatal(err)
	}
	return u.Query()
}

// answer is what the token endpoint says.
type answer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`

	status int
}

func (r *rig) token(tb testing.TB, form url.Values) answer {
	tb.Helper()
	w := r.post("/oauth/token", form)
	a := answer{status: w.Code}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		tb.Fatalf("%v: %s", err, w.Body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		tb.Errorf("Cache-Control is %q", got)
	}
	if (a.status == http.StatusOK) != (a.AccessToken != "") || (a.status == http.StatusOK) == (a.Error != "") {
		tb.Errorf("status %d with %+v", a.status, a)
	}
	return a
}

func redeem(code, clientID string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {clientID},
		"redirect_uri": {"https://app.example/cb"}, "code_verifier": {verifier}, "resource": {resource},
	}
}

func refresh(token, clientID string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {clientID}}
}

// signIn is a whole sign-in of a person with the client app.
func (r *rig) signIn(tb testing.TB, user string) (store.Grant, answer) {
	tb.Helper()
	g := r.connect(tb, user, app, all)
	code := r.approve(tb, g, wellFormed()).Get("code")
	a := r.token(tb, redeem(code, app))
	if a.status != http.StatusOK {
		tb.Fatalf("no tokens: %+v", a)
	}
	return g, a
}

// lives reports whether an access token is let in.
func (r *rig) lives(tb testing.TB, token string) bool {
	tb.Helper()
	_, err := r.Verify(tb.Context(), token)
	if err != nil && !strings.Contains(err.Error(), "invalid_token") {
		tb.Fatal(err)
	}
	return err == nil
}

var errDown = errors.New("database is down")

// request is what wellFormed becomes.
func (r *rig) request() *oauth.Request {
	return &oauth.Request{
		Client: clients.Client{ID: app}, RedirectURI: "https://app.example/cb",
		Scopes: notes, Resource: resource, CodeChallenge: challenge(verifier),
	}
}
