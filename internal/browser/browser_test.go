package browser_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/store"
)

// rig is the sessions over a real store.
type rig struct {
	*browser.Sessions
	store *store.Store
	now   time.Time
}

func newRig(t *testing.T, secure bool) *rig {
	t.Helper()
	r := &rig{now: time.Now()}
	now := func() time.Time { return r.now }
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "store.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	r.store, r.Sessions = st, browser.New(st, &browser.Options{Secure: secure, Now: now})
	return r
}

// request is one that carries these cookies.
func request(t *testing.T, cookies ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if len(cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return r
}

// ensure is a session and the cookie that the browser got with it.
func (r *rig) ensure(t *testing.T, cookies ...string) (*browser.Session, *http.Cookie) {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := r.Ensure(w, request(t, cookies...))
	if err != nil {
		t.Fatal(err)
	}
	set := w.Result().Cookies()
	if len(set) == 0 {
		return s, nil
	}
	return s, set[0]
}

func TestCookie(t *testing.T) {
	for _, secure := range []bool{false, true} {
		_, c := newRig(t, secure).ensure(t)
		name := map[bool]string{false: "ncmcp", true: "__Host-ncmcp"}[secure]
		if c.Name != name || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) != 43 {
			t.Errorf("secure %t: %+v", secure, c)
		}
	}
}

func TestEnsureKeepsASession(t *testing.T) {
	r := newRig(t, true)
	first, c := r.ensure(t)
	again, set := r.ensure(t, c.Name+"="+c.Value)
	if again.ID != first.ID || set != nil {
		t.Error("a browser with a session got another one")
	}
	if _, err := r.store.BrowserSession(t.Context(), store.HashOf(c.Value)); err != nil {
		t.Errorf("the session is not kept under the hash of the cookie: %v", err)
	}
	other, _ := r.ensure(t)
	if other.ID == first.ID {
		t.Error("two browsers share a session")
	}
}

func TestWhichCookieCounts(t *testing.T) {
	r := newRig(t, true)
	s, c := r.ensure(t)
	good := c.Name + "=" + c.Value
	unknown := strings.Repeat("A", 43)
	for _, tt := range []struct {
		name    string
		cookies []string
		found   bool
	}{
		{"none", nil, false},
		{"the one", []string{good}, true},
		{"malformed ones before it", []string{c.Name + "=", c.Name + "=short", c.Name + "=" + c.Value + "=", good}, true},
		{"another one before it", []string{c.Name + "=" + unknown, good}, false},
		{"another one after it", []string{good, c.Name + "=" + unknown}, true},
		{"an unknown one", []string{c.Name + "=" + unknown}, false},
		{"without the prefix", []string{"ncmcp=" + c.Value}, false},
		{"another case", []string{"__host-ncmcp=" + c.Value}, false},
		{"underscores", []string{"__Host_ncmcp=" + c.Value}, false},
		{"its hash", []string{c.Name + "=" + string(s.ID[:])}, false},
	} {
		found, err := r.Find(request(t, tt.cookies...))
		if tt.found != (err == nil) || err != nil && !errors.Is(err, browser.ErrNone) || err == nil && found.ID != s.ID {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	r := newRig(t, true)
	ctx := t.Context()
	w := httptest.NewRecorder()
	old, c := r.ensure(t)
	alice, err := r.Open(ctx, store.BrowserSession{UserID: "alice", DisplayName: "Alice", Issuer: "https://cloud.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Replace(ctx, w, old, alice); err != nil {
		t.Fatal(err)
	}
	fresh := w.Result().Cookies()[0]
	if _, err := r.Find(request(t, c.Name+"="+c.Value)); !errors.Is(err, browser.ErrNone) {
		t.Errorf("the cookie from before the sign-in: %v", err)
	}
	got, err := r.Find(request(t, fresh.Name+"="+fresh.Value))
	if err != nil || !got.SignedIn() || got.UserID != "alice" || got.DisplayName != "Alice" || got.Issuer != "https://cloud.example" {
		t.Fatalf("%+v, %v", got, err)
	}

	r.now = r.now.Add(browser.SignedInLife - time.Minute)
	if _, err := r.Find(request(t, fresh.Name+"="+fresh.Value)); err != nil {
		t.Errorf("shortly before its end: %v", err)
	}
	r.now = r.now.Add(2 * time.Minute)
	if _, err := r.Find(request(t, fresh.Name+"="+fresh.Value)); !errors.Is(err, browser.ErrNone) {
		t.Errorf("after 12 hours: %v", err)
	}

	last, err := r.Open(ctx, store.BrowserSession{UserID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	if err := r.End(ctx, w, last); err != nil {
		t.Fatal(err)
	}
	if set := w.Result().Cookies(); len(set) != 1 || set[0].MaxAge >= 0 || set[0].Value != "" {
		t.Errorf("signing out sets %v", set)
	}
	if _, err := r.store.BrowserSession(ctx, last.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the session is still there: %v", err)
	}
}

// A sign-in of 12 hours is not prolonged by what a person does in its last one.
func TestEnsureProlongsNoSignIn(t *testing.T) {
	r := newRig(t, false)
	w := httptest.NewRecorder()
	alice, err := r.Open(t.Context(), store.BrowserSession{UserID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Replace(t.Context(), w, nil, alice); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	r.now = r.now.Add(browser.SignedInLife - 59*time.Minute)
	got, set := r.ensure(t, c.Name+"="+c.Value)
	if got.SignedIn() || got.ID != alice.ID || set != nil {
		t.Errorf("signed in %t, same session %t", got.SignedIn(), got.ID == alice.ID)
	}
	r.now = r.now.Add(2 * time.Hour)
	if still, err := r.Find(request(t, c.Name+"="+c.Value)); err != nil || still.SignedIn() {
		t.Errorf("two hours later: %v", err)
	}
}

func TestCSRF(t *testing.T) {
	r := newRig(t, false)
	a, _ := r.ensure(t)
	b, _ := r.ensure(t)
	token := a.CSRF("x")
	if !a.CheckCSRF("x", token) || a.CSRF("x") != token {
		t.Error("the token is not good")
	}
	for name, wrong := range map[string]string{
		"none": "", "for another purpose": a.CSRF("y"), "of another browser": b.CSRF("x"), "cut": token[1:], "longer": token + "A",
	} {
		if a.CheckCSRF("x", wrong) {
			t.Errorf("a token %s is good", name)
		}
	}
}

type broken struct{ browser.Store }

var errDown = errors.New("database is down")

func (broken) BrowserSession(context.Context, store.Hash) (store.BrowserSession, error) {
	return store.BrowserSession{}, errDown
}

// A store that is down must not sign people out.
func TestStoreDown(t *testing.T) {
	s := browser.New(broken{}, nil)
	r := request(t, "ncmcp="+strings.Repeat("A", 43))
	if _, err := s.Find(r); !errors.Is(err, errDown) {
		t.Errorf("Find: %v", err)
	}
	w := httptest.NewRecorder()
	if _, err := s.Ensure(w, r); !errors.Is(err, errDown) || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("Ensure: %v, sets %q", err, w.Header().Get("Set-Cookie"))
	}
}

func TestGuard(t *testing.T) {
	public, err := url.Parse("https://mcp.example.org/nc")
	if err != nil {
		t.Fatal(err)
	}
	g, err := browser.NewGuard(public)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, host, origin, site string
		want                       bool
	}{
		{"POST", "mcp.example.org", "https://mcp.example.org", "same-origin", true},
		{"POST", "backend:8000", "https://mcp.example.org", "same-origin", true},
		{"POST", "backend:8000", "https://mcp.example.org", "", true},
		{"POST", "192.168.1.5:8000", "http://192.168.1.5:8000", "", true},
		{"POST", "mcp.example.org", "", "", true}, // no browser
		{"POST", "mcp.example.org", "https://evil.example", "cross-site", false},
		{"POST", "mcp.example.org", "https://evil.example", "", false},
		{"POST", "mcp.example.org", "https://evil.example.org", "same-site", false},
		{"POST", "mcp.example.org", "https://mcp.example.org", "cross-site", false},
		{"POST", "mcp.example.org", "null", "", false},
		{"POST", "mcp.example.org", "https://mcp.example.org.evil.example", "", false},
		{"POST", "mcp.example.org", "https://mcp.example.org:444", "", false},
		{"GET", "mcp.example.org", "https://evil.example", "cross-site", true},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "http://"+tt.host+"/", nil)
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		if got := g.Allows(r); got != tt.want {
			t.Errorf("%s to %s from %q (%q): %t", tt.method, tt.host, tt.origin, tt.site, got)
		}
	}
}
