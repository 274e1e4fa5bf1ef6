package oidcclient

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tokenEndpoint is a provider whose token endpoint is h.
func tokenEndpoint(tb testing.TB, h http.HandlerFunc) *Provider {
	tb.Helper()
	s := httptest.NewServer(h)
	tb.Cleanup(s.Close)
	return &Provider{TokenEndpoint: s.URL + "/token", RevocationEndpoint: s.URL + "/revoke", UserinfoEndpoint: s.URL + "/userinfo"}
}

// TestClientAuthentication: by form where the provider lists that, else by
// Basic, encoded as RFC 6749, 2.3.1 says.
func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		methods []string
		client  Client
		header  string
		form    url.Values
	}{
		"nothing listed": {nil, Client{ID: "a:b", Secret: "s +%"}, "a%3Ab:s+%2B%25", url.Values{}},
		"basic":          {[]string{"client_secret_basic"}, Client{ID: "id", Secret: "s"}, "id:s", url.Values{}},
		"both":           {[]string{"client_secret_basic", "client_secret_post"}, Client{ID: "id", Secret: "s +%"}, "", url.Values{"client_id": {"id"}, "client_secret": {"s +%"}}},
		"no secret":      {nil, Client{ID: "id"}, "", url.Values{"client_id": {"id"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tokenEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
				id, secret, basic := r.BasicAuth()
				if got := id + ":" + secret; basic != (c.header != "") || basic && got != c.header {
					t.Errorf("Basic %q, want %q", got, c.header)
				}
				_ = r.ParseForm()
				want := url.Values{
					"grant_type": {"authorization_code"}, "code": {"the code"}, "redirect_uri": {"https://us/cb"}, "code_verifier": {"v"}, "resource": {"https://nc"},
				}
				maps.Copy(want, c.form)
				if diff := cmp.Diff(want, r.PostForm); diff != "" {
					t.Errorf("form (-want +got):\n%s", diff)
				}
				_, _ = io.WriteString(w, `{"access_token":"at","token_type":"bearer"}`)
			})
			p.AuthMethods = c.methods
			a := &Authorization{RedirectURI: "https://us/cb", Verifier: "v", Resource: "https://nc"}
			if _, err := p.Redeem(t.Context(), http.DefaultClient, c.client, a, "the code"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTokenAnswers: what counts as tokens.
func TestTokenAnswers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]*Tokens{
		`{"access_token":"at","token_type":"Bearer","expires_in":900,"refresh_token":"rt","id_token":"it"}`: {Access: "at", Refresh: "rt", ID: "it", Life: 15 * time.Minute},
		`{"access_token":"at","token_type":"BEARER","expires_in":"60"}`:                                     {Access: "at", Life: time.Minute},
		`{"access_token":"at","token_type":"Bearer","expires_in":-5}`:                                       {Access: "at"},
		`{"access_token":"at","token_type":"Bearer","expires_in":1e300}`:                                    {Access: "at", Life: 10 * 365 * 24 * time.Hour},
		`{"access_token":"at","token_type":"Bearer","expires_in":null,"more":{}}`:                           {Access: "at"},
		`{"access_token":"at","token_type":"DPoP"}`:                                                         nil,
		`{"access_token":"at"}`:                                              nil,
		`{"ACCESS_TOKEN":"at","token_type":"Bearer"}`:                        nil,
		`{"access_token":"at","access_token":"other","token_type":"Bearer"}`: nil,
		`{"access_token":"a t","token_type":"Bearer"}`:                       nil,
		`{"access_token":"a\r\nt","token_type":"Bearer"}`:                    nil,
		`{"access_token":7,"token_type":"Bearer"}`:                           nil,
		`{}`:                             nil,
		`[]`:                             nil,
		``:                               nil,
		`<html>`:                         nil,
		strings.Repeat(" ", maxTokens+1): nil,
	} {
		p := tokenEndpoint(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		got, err := p.Refresh(t.Context(), http.DefaultClient, Client{ID: "id", Secret: "s"}, "rt", "")
		var e *TokenError
		if want == nil && !errors.As(err, &e) {
			t.Errorf("%.80s: error %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.80s (-want +got):\n%s", body, diff)
		}
	}
}

// TestTokenErrors keep the code and drop everything that may repeat a secret.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":"invalid_grant","error_description":"canary"}`: "invalid_grant",
		`{"error":"canary CODE"}`:                                "",
		`{"error":"` + strings.Repeat("x", 65) + `"}`:            "",
		`{"error":{"code":7}}`:                                   "",
		`canary`:                                                 "",
	} {
		p := tokenEndpoint(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		})
		_, err := p.Refresh(t.Context(), http.DefaultClient, Client{ID: "id", Secret: "s"}, "rt", "")
		var e *TokenError
		if !errors.As(err, &e) || e.Code != want || e.Status != http.StatusBadRequest || e.RetryAfter != 7*time.Second || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error %v, want the code %q", body, err, want)
		}
	}
}

// TestNoRedirects: neither code, nor secret, nor token follow one.
func TestNoRedirects(t *testing.T) {
	t.Parallel()
	p := tokenEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	c := Client{ID: "id", Secret: "s"}
	if _, err := p.Redeem(t.Context(), http.DefaultClient, c, &Authorization{}, "code"); err == nil {
		t.Error("tokens of a redirect")
	}
	if err := p.Revoke(t.Context(), http.DefaultClient, c, "rt"); err == nil {
		t.Error("revoked by a redirect")
	}
	if _, err := p.Userinfo(t.Context(), http.DefaultClient, "at", "alice"); err == nil {
		t.Error("userinfo of a redirect")
	}
}

func TestAuthorizationURL(t *testing.T) {
	t.Parallel()
	p := &Provider{AuthorizationEndpoint: "https://idp.example/a?tenant=1&state=x#f"}
	got, err := p.AuthorizationURL(Client{ID: "id"}, &Authorization{
		RedirectURI: "https://us/cb", Scopes: []string{"openid", "a/b"}, State: "s", Nonce: "n",
		Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", // RFC 7636, appendix B
	})
	want := "https://idp.example/a?client_id=id&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256" +
		"&nonce=n&redirect_uri=https%3A%2F%2Fus%2Fcb&response_type=code&scope=openid+a%2Fb&state=s&tenant=1"
	if err != nil || got != want {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
}

func TestShownName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\x00 Alice\r\n Example\x00": "Alice Example", "Al\u202eice": "Alice", strings.Repeat("é", 300): strings.Repeat("é", 200), "\xff": "",
	} {
		if got := shownName(in); got != want {
			t.Errorf("shownName(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzTokenAnswer: tokens that can be sent, or an error.
func FuzzTokenAnswer(f *testing.F) {
	f.Add(200, `{"access_token":"at","token_type":"Bearer","expires_in":900}`)
	f.Add(400, `{"error":"invalid_grant"}`)
	f.Add(200, `{"access_token":"\u0000","token_type":"Bearer","expires_in":"x"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		client := &http.Client{Transport: answerer(func(r *http.Request) *http.Response {
			w := httptest.NewRecorder()
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			res := w.Result()
			res.Request = r
			return res
		})}
		p := &Provider{TokenEndpoint: "https://idp.example/token"}
		got, err := p.Refresh(t.Context(), client, Client{ID: "id", Secret: "s"}, "rt", "")
		if (got == nil) == (err == nil) {
			t.Fatalf("%v, %v", got, err)
		}
		if got != nil && (!sendable(got.Access.Reveal()) || got.Life < 0) {
			t.Errorf("access token %q for %v", got.Access.Reveal(), got.Life)
		}
	})
}

type answerer func(*http.Request) *http.Response

func (f answerer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }
