package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/store"
)

var off = ratelimit.Rate{PerMinute: -1}

func TestRefusedAuthorizationRequests(t *testing.T) {
	long := strings.Repeat("s", 2049)
	good := wellFormed()
	r := newRig(t)
	both := func(name, a, b string) string {
		return with(good, name, "").Encode() + "&" + url.Values{name: {a, b}}.Encode()
	}
	for _, c := range []struct {
		name  string
		query string
		page  string // the page's code, when nothing may go to the client
		error string // the OAuth error, when the client is told
	}{
		{"no client", with(good, "client_id", "").Encode(), oauth.PageUnknownClient, ""},
		{"unknown client", with(good, "client_id", "nobody").Encode(), oauth.PageUnknownClient, ""},
		{"very long client", with(good, "client_id", strings.Repeat("a", 3000)).Encode(), oauth.PageUnknownClient, ""},
		{"two clients", both("client_id", app, other), oauth.PageUnknownClient, ""},
		{"one client twice", both("client_id", app, app), oauth.PageUnknownClient, ""},
		{"broken escape", good.Encode() + "&x=%zz", oauth.PageUnknownClient, ""},
		{"semicolon", good.Encode() + ";x=1", oauth.PageUnknownClient, ""},
		{"very long query", good.Encode() + "&x=" + strings.Repeat("x", 40_000), oauth.PageUnknownClient, ""},
		{"no redirect URI", with(good, "redirect_uri", "").Encode(), oauth.PageBadRedirect, ""},
		{"two redirect URIs", both("redirect_uri", "https://app.example/cb", "https://evil.example/cb"), oauth.PageBadRedirect, ""},
		{"another redirect URI", with(good, "redirect_uri", "https://evil.example/cb").Encode(), oauth.PageBadRedirect, ""},
		{"redirect URI with more behind", with(good, "redirect_uri", "https://app.example/cb/x").Encode(), oauth.PageBadRedirect, ""},
		{"redirect URI with another case", with(good, "redirect_uri", "https://app.example/CB").Encode(), oauth.PageBadRedirect, ""},
		{"redirect URI of another client", with(good, "client_id", webApp).Encode(), oauth.PageBadRedirect, ""},

		{"two states", both("state", "a", "b"), "", "invalid_request"},
		{"long state", with(good, "state", long).Encode(), "", "invalid_request"},
		{"a parameter twice", both("scope", "notes.read", "notes.write"), "", "invalid_request"},
		{"an unknown parameter twice", good.Encode() + "&x=1&x=2", "", "invalid_request"},
		{"no response type", with(good, "response_type", "").Encode(), "", "invalid_request"},
		{"implicit", with(good, "response_type", "token").Encode(), "", "unsupported_response_type"},
		{"hybrid", with(good, "response_type", "code id_token").Encode(), "", "unsupported_response_type"},
		{"fragment", with(good, "response_mode", "fragment").Encode(), "", "invalid_request"},
		{"form_post", with(good, "response_mode", "form_post").Encode(), "", "invalid_request"},
		{"request object", with(good, "request", "e30.e30.").Encode(), "", "request_not_supported"},
		{"request object by address", with(good, "request_uri", "https://evil.example").Encode(), "", "request_uri_not_supported"},
		{"no PKCE", with(good, "code_challenge", "", "code_challenge_method", "").Encode(), "", "invalid_request"},
		{"PKCE without method is plain", with(good, "code_challenge_method", "").Encode(), "", "invalid_request"},
		{"PKCE plain", with(good, "code_challenge_method", "plain").Encode(), "", "invalid_request"},
		{"PKCE method in lower case", with(good, "code_challenge_method", "s256").Encode(), "", "invalid_request"},
		{"short challenge", with(good, "code_challenge", strings.Repeat("c", 42)).Encode(), "", "invalid_request"},
		{"long challenge", with(good, "code_challenge", strings.Repeat("c", 129)).Encode(), "", "invalid_request"},
		{"padded challenge", with(good, "code_challenge", strings.Repeat("c", 43)+"=").Encode(), "", "invalid_request"},
		{"another resource", with(good, "resource", "https://evil.example/mcp").Encode(), "", "invalid_target"},
		{"resource with our name as prefix", with(good, "resource", resource+".evil.example").Encode(), "", "invalid_target"},
		{"resource without path", with(good, "resource", issuer).Encode(), "", "invalid_target"},
		{"resource with a query", with(good, "resource", resource+"?x").Encode(), "", "invalid_target"},
		{"resource with a fragment", with(good, "resource", resource+"#x").Encode(), "", "invalid_target"},
		{"resource with a person", with(good, "resource", strings.Replace(resource, "//", "//x@", 1)).Encode(), "", "invalid_target"},
		{"resource over http", with(good, "resource", strings.Replace(resource, "https", "http", 1)).Encode(), "", "invalid_target"},
		{"resource on another port", with(good, "resource", strings.Replace(resource, ".com", ".com:8443", 1)).Encode(), "", "invalid_target"},
		{"our resource and another", good.Encode() + "&resource=https%3A%2F%2Fevil.example", "", "invalid_target"},
		{"unknown scopes only", with(good, "scope", "root notes.admin").Encode(), "", "invalid_scope"},
		{"unknown and identity scopes only", with(good, "scope", "openid root").Encode(), "", "invalid_scope"},
		{"scopes that nobody configured for the client", with(good, "client_id", secret, "scope", "calendar.read").Encode(), "", "invalid_scope"},
		{"without asking", with(good, "prompt", "none").Encode(), "", "interaction_required"},
		{"without asking, and more", with(good, "prompt", "consent none").Encode(), "", "interaction_required"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(c.name+" "+method, func(t *testing.T) {
				r.began, r.failed = nil, nil
				req := httptest.NewRequest(method, "/oauth/authorize?"+c.query, nil)
				if method == http.MethodPost {
					req = httptest.NewRequest(method, "/oauth/authorize", strings.NewReader(c.query))
				}
				w := r.do(req)
				if len(r.began) > 0 {
					t.Fatal("the request was let through")
				}
				to := w.Header().Get("Location")
				if c.page != "" {
					if w.Code != http.StatusBadRequest || to != "" || !cmp.Equal(r.failed, []string{c.page}) {
						t.Errorf("status %d, pages %v, Location %q; want the page %s and nothing for the client", w.Code, r.failed, to, c.page)
					}
					return
				}
				if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "https://app.example/cb?") || len(r.failed) > 0 {
					t.Fatalf("status %d, pages %v, Location %q; want an answer for the client", w.Code, r.failed, to)
				}
				got := queryOf(t, to)
				if got.Get("error") != c.error || got.Get("iss") != issuer || got.Get("error_description") == "" || got.Has("code") {
					t.Errorf("answered %v, want the error %s and iss", got, c.error)
				}
				asked, _ := url.ParseQuery(c.query)
				if state := asked["state"]; len(state) == 1 && len(state[0]) <= 2048 && got.Get("state") != state[0] {
					t.Errorf("state %q came back as %q", state[0], got.Get("state"))
				}
			})
		}
	}
}

func TestAcceptedAuthorizationRequests(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name   string
		ask    url.Values
		scopes string
	}{
		{"as it should be", wellFormed(), "notes.read notes.write"},
		{"no resource (clients from before RFC 8707)", with(wellFormed(), "resource", ""), "notes.read notes.write"},
		{"resource with a slash behind", with(wellFormed(), "resource", resource+"/"), "notes.read notes.write"},
		{"resource with an upper case host", with(wellFormed(), "resource", strings.Replace(resource, "mcp.example", "MCP.Example", 1)), "notes.read notes.write"},
		{"resource with the default port", with(wellFormed(), "resource", strings.Replace(resource, ".com", ".com:443", 1)), "notes.read notes.write"},
		{"our resource twice", url.Values(func() map[string][]string { v := wellFormed(); v.Add("resource", resource+"/"); return v }()), "notes.read notes.write"},
		{"no state", with(wellFormed(), "state", ""), "notes.read notes.write"},
		{"no scope", with(wellFormed(), "scope", ""), all.String()},
		{"identity scopes only", with(wellFormed(), "scope", "openid profile email offline_access"), all.String()},
		{"identity scopes as well", with(wellFormed(), "scope", "openid offline_access calendar.read"), "calendar.read"},
		{"unknown scopes as well", with(wellFormed(), "scope", "notes.read root"), "notes.read"},
		{"scopes in colon form", with(wellFormed(), "scope", "notes:read"), "notes.read"},
		{"no scope, one registered", with(wellFormed(), "scope", "", "client_id", modest), "notes.read"},
		{"more than registered, as in a step-up", with(wellFormed(), "scope", "notes.read calendar.read", "client_id", modest), "calendar.read notes.read"},
		{"more than configured", with(wellFormed(), "scope", "notes.read calendar.read", "client_id", secret), "notes.read"},
		{"no scope, some configured", with(wellFormed(), "scope", "", "client_id", secret), "notes.read notes.write"},
		{"a loopback port", with(wellFormed(), "redirect_uri", "http://127.0.0.1:49152/callback"), "notes.read notes.write"},
		{"another scheme", with(wellFormed(), "redirect_uri", "cursor://anysphere/cb"), "notes.read notes.write"},
		{"prompt", with(wellFormed(), "prompt", "consent"), "notes.read notes.write"},
		{"empty parameters count as none", with(wellFormed(), "x", "y", "scope", "notes.read notes.write"), "notes.read notes.write"},
		{"response mode", with(wellFormed(), "response_mode", "query"), "notes.read notes.write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.began, r.failed = nil, nil
			w := r.do(httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+c.ask.Encode(), nil))
			if len(r.began) != 1 {
				t.Fatalf("refused: status %d, %v %s", w.Code, r.failed, w.Header().Get("Location"))
			}
			got := r.began[0]
			if got.Scopes.String() != c.scopes {
				t.Errorf("asks for %q, want %q", got.Scopes, c.scopes)
			}
			if got.Resource != resource || got.State != c.ask.Get("state") || got.RedirectURI != c.ask.Get("redirect_uri") ||
				got.CodeChallenge != c.ask.Get("code_challenge") || got.Client.ID != c.ask.Get("client_id") {
				t.Errorf("passed on as %+v", got)
			}
			if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("headers %v", h)
			}
		})
	}
}

func TestEmptyParameterCountsAsMissing(t *testing.T) {
	r := newRig(t)
	q := with(wellFormed(), "code_challenge", "").Encode() + "&code_challenge="
	to := r.do(httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+q, nil)).Header().Get("Location")
	if got := queryOf(t, to).Get("error"); got != "invalid_request" {
		t.Errorf("an empty challenge: %q", to)
	}
	q = with(wellFormed(), "response_mode", "").Encode() + "&response_mode=&state="
	if r.do(httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+q, nil)); len(r.began) != 1 {
		t.Error("an empty parameter counts as given")
	}
}

func TestClientsThatCannotBeFound(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		page   string
		retry  bool
	}{
		{&clients.Problem{Kind: clients.ErrUnknown}, http.StatusBadRequest, oauth.PageUnknownClient, false},
		{&clients.Problem{Kind: clients.ErrBadDocument}, http.StatusBadRequest, oauth.PageBadDocument, false},
		{&clients.Problem{Kind: clients.ErrUnavailable}, http.StatusBadGateway, oauth.PageClientUnavailable, false},
		{errDown, http.StatusServiceUnavailable, oauth.PageUnavailable, true},
	} {
		r := newRig(t)
		r.lost = c.err
		w := r.do(httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+wellFormed().Encode(), nil))
		if w.Code != c.status || !cmp.Equal(r.failed, []string{c.page}) || w.Header().Get("Location") != "" || (w.Header().Get("Retry-After") != "") != c.retry {
			t.Errorf("%v: status %d, pages %v, headers %v", c.err, w.Code, r.failed, w.Header())
		}
	}
}

func TestOnlyGetAndPostAuthorize(t *testing.T) {
	r := newRig(t)
	w := r.do(httptest.NewRequest(http.MethodDelete, "/oauth/authorize?"+wellFormed().Encode(), nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST" || len(r.began) > 0 {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
}

// The answer goes to the registered address as it was registered, with the
// parameters behind; nothing of the request can lead it elsewhere.
func TestAnswerGoesToTheRedirectURIOnly(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ uri, start string }{
		{"https://app.example/cb", "https://app.example/cb?"},
		{"https://app.example/cb?tenant=a%20b", "https://app.example/cb?tenant=a%20b&"},
		{"https://app.example/cb?", "https://app.example/cb?"},
		{"http://127.0.0.1:5000/callback", "http://127.0.0.1:5000/callback?"},
		{"cursor://anysphere/cb", "cursor://anysphere/cb?"},
	} {
		state := "&redirect_uri=https://evil.example#/\\\r\nLocation: //evil.example"
		req := &oauth.Request{RedirectURI: c.uri, State: state}
		for _, to := range []string{r.Deny(req), r.Answer(req, "server_error", "a \"b\"\r\n\\ü")} {
			if !strings.HasPrefix(to, c.start) || strings.ContainsAny(to, "\r\n\\#") {
				t.Errorf("%s: answer goes to %q", c.uri, to)
			}
			got := queryOf(t, to)
			if got.Get("state") != state || got.Get("iss") != issuer || got.Get("error") == "" {
				t.Errorf("%s: answered %v", c.uri, got)
			}
		}
	}
	if got := queryOf(t, r.Deny(&oauth.Request{RedirectURI: local})); got.Get("error") != "access_denied" || got.Has("state") {
		t.Errorf("denied as %v", got)
	}
	if got := queryOf(t, r.Answer(&oauth.Request{RedirectURI: local}, "server_error", "a \"b\"\r\n\\ü")).Get("error_description"); got != "a 'b'" {
		t.Errorf("description %q", got)
	}
}

func TestApproveAnswersCodeStateAndIssuer(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	got := r.approve(t, g, wellFormed())
	if got.Get("state") != "st+a t&e" || got.Get("iss") != issuer || got.Has("error") || len(got) != 3 {
		t.Errorf("answered %v", got)
	}
	if code := got.Get("code"); !strings.HasPrefix(code, "ncmcp_ac_") || len(code) != 9+43 {
		t.Errorf("code %q", code)
	}
	if _, err := r.store.EndGrant(t.Context(), g.ID, store.EndedByPerson); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Approve(t.Context(), r.began[0], g, notes); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a grant that ended: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Approve(ctx, r.began[0], g, notes); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the request: %v", err)
	}
}

func FuzzAuthorize(f *testing.F) {
	f.Add(wellFormed().Encode())
	f.Add("client_id=app&redirect_uri=https://app.example/cb")
	f.Add("client_id=app&redirect_uri=https://app.example%2Fcb@evil.example/&state=%0d%0a")
	f.Add("client_id=app&redirect_uri=cursor:%2F%2Fanysphere/cb&response_type=code&code_challenge_method=S256&scope=%00")
	f.Add("%zz=;&&==&client_id=app&client_id")
	r := newRig(f)
	f.Fuzz(func(t *testing.T, query string) {
		req := httptest.NewRequest(http.MethodGet, "/oauth/authorize", nil)
		req.URL.RawQuery = query
		r.began = nil
		w := r.do(req)
		asked, _ := url.ParseQuery(query)
		if to := w.Header().Get("Location"); to != "" {
			if !strings.HasPrefix(to, asked.Get("redirect_uri")) || strings.ContainsAny(to, "\r\n") {
				t.Errorf("sent to %q", to)
			}
			u, err := url.Parse(to)
			if err != nil || u.Scheme+"://"+u.Hostname() != "https://app.example" && u.Hostname() != "127.0.0.1" && u.Host != "anysphere" {
				t.Errorf("sent to %q (%v)", to, err)
			}
		}
		for _, b := range r.began {
			if b.Scopes.Empty() || b.Resource != resource || len(b.State) > 2048 || len(b.CodeChallenge) < 43 || asked.Get("code_challenge_method") != "S256" {
				t.Errorf("let through: %+v", b)
			}
		}
	})
}
