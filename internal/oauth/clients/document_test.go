package clients_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/store"
)

const docID = "https://app.example.org/oauth/client.json"

func setUpDocuments(t *testing.T) (*env, *web) {
	t.Helper()
	w := newWeb()
	return setUp(t, func(cfg *clients.Config) { cfg.Documents = w }), w
}

// The documents of real clients.
func TestKnownDocuments(t *testing.T) {
	e, w := setUpDocuments(t)
	tests := []struct {
		id, body string
		want     clients.Client
	}{
		{
			"https://claude.ai/oauth/claude-code-client-metadata",
			`{"client_id":"https://claude.ai/oauth/claude-code-client-metadata","client_name":"Claude Code","client_uri":"https://claude.ai","redirect_uris":["http://localhost/callback","http://127.0.0.1/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`,
			clients.Client{Name: "Claude Code", URI: "https://claude.ai", RedirectURIs: []string{"http://localhost/callback", "http://127.0.0.1/callback"}},
		},
		{
			// It would rather use its key, and says that it can do without.
			"https://chatgpt.com/oauth/client.json",
			`{"client_id":"https://chatgpt.com/oauth/client.json","client_uri":"https://chatgpt.com/","redirect_uris":["https://chatgpt.com/connector_platform_oauth_redirect"],"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none","private_key_jwt"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"client_name":"ChatGPT","logo_uri":"https://persistent.oaistatic.com/x.png","token_endpoint_auth_signing_alg":"RS256","jwks_uri":"https://chatgpt.com/oauth/jwks.json"}`,
			clients.Client{Name: "ChatGPT", URI: "https://chatgpt.com/", RedirectURIs: []string{"https://chatgpt.com/connector_platform_oauth_redirect"}},
		},
		{
			// One redirect URI has a scheme that is not on the list.
			docID, document(docID, map[string]any{"client_name": nil, "scope": "notes.read", "redirect_uris": []string{"zed://oauth", "http://[::1]/cb", "http://[::1]/cb"}, "token_endpoint_auth_method": nil}),
			clients.Client{Name: "app.example.org", RedirectURIs: []string{"http://[::1]/cb"}, Scope: "notes.read"},
		},
	}
	for _, tt := range tests {
		w.put(tt.id, tt.body)
		tt.want.ID, tt.want.Kind, tt.want.AuthMethod = tt.id, store.ClientDocument, "none"
		got, err := e.Find(t.Context(), tt.id)
		if err != nil {
			t.Errorf("%s: %v", tt.id, err)
			continue
		}
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.id, diff)
		}
	}
}

func TestRefusedDocuments(t *testing.T) {
	e, w := setUpDocuments(t)
	tests := map[string]string{
		"empty":                  ``,
		"no JSON":                `<html>`,
		"no object":              `[]`,
		"no id":                  document(docID, map[string]any{"client_id": nil}),
		"another id":             document("https://app.example.org/oauth/client2.json", nil),
		"the id in another case": document("https://APP.example.org/oauth/client.json", nil),
		"the id with a port":     document("https://app.example.org:443/oauth/client.json", nil),
		"the id with a slash":    document(docID+"/", nil),
		"the id twice":           `{"client_id":"https://evil.example/",` + document(docID, nil)[1:],
		"the id, another case":   strings.Replace(document(docID, nil), "client_id", "Client_ID", 1),
		"the id no text":         document(docID, map[string]any{"client_id": []string{docID}}),
		"a secret":               document(docID, map[string]any{"client_secret": "x"}),
		"a secret's end":         document(docID, map[string]any{"client_secret_expires_at": 0}),
		"basic":                  document(docID, map[string]any{"token_endpoint_auth_method": "client_secret_basic"}),
		"post":                   document(docID, map[string]any{"token_endpoint_auth_method": "client_secret_post"}),
		"key only":               document(docID, map[string]any{"token_endpoint_auth_method": "private_key_jwt"}),
		"key in the list only":   document(docID, map[string]any{"token_endpoint_auth_methods_supported": []string{"private_key_jwt"}}),
		"no code":                document(docID, map[string]any{"grant_types": []string{"client_credentials"}}),
		"no code response":       document(docID, map[string]any{"response_types": []string{"token"}}),
		"no redirects":           document(docID, map[string]any{"redirect_uris": nil}),
		"empty redirects":        document(docID, map[string]any{"redirect_uris": []string{}}),
		"redirects no list":      document(docID, map[string]any{"redirect_uris": "https://app.example.org/cb"}),
		"bad redirects only":     document(docID, map[string]any{"redirect_uris": []string{"http://app.example.org/cb", "javascript:alert(1)", "zed://x"}}),
		"too many redirects":     document(docID, map[string]any{"redirect_uris": strings.Split(strings.Repeat("https://app.example.org/cb ", 20)+"https://app.example.org/cb", " ")}),
		"name no text":           document(docID, map[string]any{"client_name": map[string]any{}}),
		"scope":                  document(docID, map[string]any{"scope": "a\nb"}),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			w.put(docID, body)
			c, err := e.Find(t.Context(), docID)
			p, ok := errors.AsType[*clients.Problem](err)
			if !ok || !errors.Is(err, clients.ErrBadDocument) || c != nil {
				t.Fatalf("client %v, error %v, want ErrBadDocument", c, err)
			}
			if !isDescription(p.Detail) || strings.Contains(p.Detail, "evil") {
				t.Errorf("detail %q", p.Detail)
			}
		})
	}
}

func TestDocumentAnswers(t *testing.T) {
	e, w := setUpDocuments(t)
	body := document(docID, nil)
	for contentType, want := range map[string]error{
		"application/json": nil, "application/json; charset=utf-8": nil, "application/oauth-client+json": nil, "APPLICATION/JSON": nil,
		"text/html": clients.ErrBadDocument, "text/plain": clients.ErrBadDocument, "": clients.ErrBadDocument, "application/javascript": clients.ErrBadDocument, "image/svg+json": clients.ErrBadDocument,
	} {
		e.clock.advance(48 * time.Hour)
		w.put(docID, body, "Content-Type", contentType)
		if _, err := e.Find(t.Context(), docID); !errors.Is(err, want) {
			t.Errorf("Content-Type %q: error %v, want %v", contentType, err, want)
		}
	}
	for status, want := range map[int]error{
		201: clients.ErrBadDocument, 204: clients.ErrBadDocument, 301: clients.ErrBadDocument, 302: clients.ErrBadDocument, 304: clients.ErrBadDocument, 401: clients.ErrBadDocument, 403: clients.ErrBadDocument,
		404: clients.ErrBadDocument, 410: clients.ErrBadDocument, 408: clients.ErrUnavailable, 429: clients.ErrUnavailable, 500: clients.ErrUnavailable, 503: clients.ErrUnavailable,
	} {
		id := fmt.Sprintf("https://app.example.org/%d", status)
		w.status(id, status)
		if _, err := e.Find(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("status %d: error %v, want %v", status, err, want)
		}
	}
	for kind, want := range map[error]error{
		safehttp.ErrForbiddenAddress: clients.ErrUnavailable, safehttp.ErrUnreachable: clients.ErrUnavailable, safehttp.ErrTimeout: clients.ErrUnavailable, safehttp.ErrTooLarge: clients.ErrBadDocument,
	} {
		id := "https://app.example.org/" + strings.ReplaceAll(kind.Error(), " ", "-")
		w.fail(id, kind)
		if _, err := e.Find(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%v: error %v, want %v", kind, err, want)
		}
	}
}

// What is inside cannot be told from what is not there.
func TestInnerHostsLookLikeNone(t *testing.T) {
	e, w := setUpDocuments(t)
	texts := map[string]bool{}
	for i, kind := range []error{safehttp.ErrForbiddenAddress, safehttp.ErrUnreachable, safehttp.ErrTimeout} {
		id := fmt.Sprintf("https://app.example.org/%d", i)
		w.fail(id, kind)
		_, err := e.Find(t.Context(), id)
		texts[err.Error()] = true
	}
	if len(texts) != 1 {
		t.Errorf("the texts differ: %v", texts)
	}
}

func TestDocumentIDs(t *testing.T) {
	e, w := setUpDocuments(t)
	for _, id := range []string{"https://app.example.org/", "https://app.example.org/a", "https://app.example.org:8443/a?b=c", "https://app.example.org/a..b/.c", "https://[2001:db8::1]/a"} {
		w.put(id, document(id, nil))
		if _, err := e.Find(t.Context(), id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{
		"https://app.example.org", "https://app.example.org?x", "https://app.example.org/a#b", "https://user@app.example.org/a", "https://app.example.org/./a", "https://app.example.org/a/..", "https://app.example.org/%2e%2e/a",
		"https://app.example.org/a%2f..%2fb", "https:///a", "https://", `https://app.example.org\a`, "https://app.example.org/\n", "https://2130706433/a", "https://*.example.org/a", "https://app.example.org/ü", "https://app.example.org/" + strings.Repeat("a", 1000),
	} {
		w.put(id, document(id, nil))
		if _, err := e.Find(t.Context(), id); !errors.Is(err, clients.ErrBadDocument) {
			t.Errorf("%q: error %v, want ErrBadDocument", id, err)
		}
		if w.count(id) != 0 {
			t.Errorf("%q was fetched", id)
		}
	}
	for _, id := range []string{"", "x", "http://127.0.0.1/a", "HTTPS://app.example.org/a", "ftp://app.example.org/a", "//app.example.org/a"} {
		if _, err := e.Find(t.Context(), id); !errors.Is(err, clients.ErrUnknown) {
			t.Errorf("%q: error %v, want ErrUnknown", id, err)
		}
	}
}

func TestDocumentLifetime(t *testing.T) {
	e, w := setUpDocuments(t)
	tests := []struct {
		name   string
		header []string
		want   time.Duration
	}{
		{"nothing said", nil, time.Hour},
		{"max-age", []string{"Cache-Control", "public, max-age=600"}, 10 * time.Minute},
		{"quoted, in another case", []string{"Cache-Control", `Max-Age = "600"`}, 10 * time.Minute},
		{"with age", []string{"Cache-Control", "max-age=600", "Age", "300"}, 5 * time.Minute},
		{"too short", []string{"Cache-Control", "max-age=1"}, time.Minute},
		{"zero", []string{"Cache-Control", "max-age=0"}, time.Minute},
		{"too long", []string{"Cache-Control", "max-age=31536000, immutable"}, 24 * time.Hour},
		{"beyond numbers", []string{"Cache-Control", "max-age=99999999999999999999"}, time.Minute},
		{"negative", []string{"Cache-Control", "max-age=-1"}, time.Minute},
		{"no-store", []string{"Cache-Control", "max-age=600, no-store"}, time.Minute},
		{"no-cache", []string{"Cache-Control", "no-cache"}, time.Minute},
		{"expires", []string{"Expires", "Sun, 01 Nov 2026 13:20:00 GMT", "Date", "Sun, 01 Nov 2026 13:00:00 GMT"}, 20 * time.Minute},
		{"max-age before expires", []string{"Cache-Control", "max-age=600", "Expires", "0"}, 10 * time.Minute},
		{"expired", []string{"Expires", "0"}, time.Minute},
		{"s-maxage is for others", []string{"Cache-Control", "s-maxage=5"}, time.Hour},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := fmt.Sprintf("https://app.example.org/%d", i)
			w.put(id, document(id, nil), tt.header...)
			find := func(wantFetches int) {
				t.Helper()
				if _, err := e.Find(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				if got := w.count(id); got != wantFetches {
					t.Errorf("fetched %d times, want %d", got, wantFetches)
				}
			}
			find(1)
			e.clock.advance(tt.want - time.Second)
			find(1)
			e.clock.advance(time.Second)
			find(2)
		})
	}
}

func TestDocumentTrouble(t *testing.T) {
	e, w := setUpDocuments(t)
	find := func(want error) {
		t.Helper()
		if _, err := e.Find(t.Context(), docID); !errors.Is(err, want) {
			t.Fatalf("error %v, want %v", err, want)
		}
	}
	fetches := func(want int) {
		t.Helper()
		if got := w.count(docID); got != want {
			t.Fatalf("fetched %d times, want %d", got, want)
		}
	}
	// A host that does not answer is left alone for 30 s.
	w.fail(docID, safehttp.ErrTimeout)
	find(clients.ErrUnavailable)
	w.put(docID, document(docID, nil))
	e.clock.advance(29 * time.Second)
	find(clients.ErrUnavailable)
	fetches(1)
	e.clock.advance(time.Second)
	find(nil)
	fetches(2)
	// Later trouble does not take the document away, for a day beyond its time.
	w.status(docID, http.StatusBadGateway)
	e.clock.advance(time.Hour)
	find(nil)
	fetches(3)
	find(nil)
	fetches(3)
	w.fail(docID, safehttp.ErrUnreachable)
	e.clock.advance(time.Hour)
	find(nil)
	find(nil)
	fetches(4)
	e.clock.advance(22*time.Hour + 59*time.Minute)
	find(nil)
	e.clock.advance(time.Minute)
	find(clients.ErrUnavailable)
	// Answers that are errors are not remembered.
	e.clock.advance(time.Minute)
	w.status(docID, http.StatusInternalServerError)
	find(clients.ErrUnavailable)
	w.put(docID, `{}`)
	find(clients.ErrBadDocument)
	w.put(docID, document(docID, nil))
	find(nil)
	// A document that its owner takes back is gone at once, trouble or not.
	e.clock.advance(time.Hour)
	w.status(docID, http.StatusNotFound)
	find(clients.ErrBadDocument)
	w.status(docID, http.StatusBadGateway)
	find(clients.ErrUnavailable)
}

func TestOneFetchForAll(t *testing.T) {
	e, w := setUpDocuments(t)
	w.put(docID, document(docID, nil))
	w.started, w.wait = make(chan string, 1), make(chan struct{})
	// The first one goes away; the fetch goes on for the others.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := e.Find(ctx, docID)
		first <- err
	}()
	<-w.started
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c, err := e.Find(t.Context(), docID)
			if err != nil {
				t.Error(err)
				return
			}
			c.RedirectURIs[0] = "changed"
		})
	}
	close(w.wait)
	wg.Wait()
	if w.count(docID) != 1 {
		t.Errorf("fetched %d times", w.count(docID))
	}
	// What callers do to their copy is theirs.
	if c, err := e.Find(t.Context(), docID); err != nil || c.RedirectURIs[0] != "https://app.example.org/cb" {
		t.Errorf("client %v, %v", c, err)
	}
}

func TestFetchesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWeb()
		w.started, w.wait = make(chan string, 100), make(chan struct{})
		d := fuzzDirectory(&memory{}, w)
		for i := range 50 {
			id := fmt.Sprintf("https://app.example.org/%d", i)
			w.put(id, document(id, nil))
			go func() {
				if _, err := d.Find(t.Context(), id); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if n := len(w.started); n != 8 {
			t.Errorf("%d fetches at once, want 8", n)
		}
		close(w.wait)
		synctest.Wait()
		if n := len(w.started); n != 50 {
			t.Errorf("%d fetches in all, want 50", n)
		}
	})
}

func TestConfiguredClients(t *testing.T) {
	w := newWeb()
	e := setUp(t, func(cfg *clients.Config) {
		cfg.Documents = w
		cfg.Configured = []clients.Client{{ID: "static", Name: "Static", RedirectURIs: []string{"https://app.example.org/cb"}}, {ID: docID, Name: "Pinned"}}
	})
	c, err := e.Find(t.Context(), "static")
	if err != nil || c.Kind != store.ClientConfigured || c.Name != "Static" {
		t.Errorf("client %+v, %v", c, err)
	}
	if c, err := e.Find(t.Context(), docID); err != nil || c.Name != "Pinned" || w.count(docID) != 0 {
		t.Errorf("client %+v, %v, %d fetches", c, err, w.count(docID))
	}
}

func TestWithoutDocuments(t *testing.T) {
	e := setUp(t)
	if _, err := e.Find(t.Context(), docID); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("error %v, want ErrUnknown", err)
	}
}

// Over the network: from a TLS server, and over http where that is switched on.
func TestDocumentsOverTheNetwork(t *testing.T) {
	var id string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, id, http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, document(id, nil))
	})
	secure, plain := httptest.NewTLSServer(handler), httptest.NewServer(handler)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	opts := safehttp.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: roots, Insecure: true}
	open := setUp(t, func(cfg *clients.Config) { cfg.Documents, cfg.InsecureDocuments = safehttp.New(opts), true })
	strict := setUp(t, func(cfg *clients.Config) { cfg.Documents = safehttp.New(safehttp.Options{RootCAs: roots}) })

	for _, srv := range []*httptest.Server{secure, plain} {
		id = srv.URL + "/client.json"
		if c, err := open.Find(t.Context(), id); err != nil || c.Name != "Example" {
			t.Errorf("%s: %v, %v", id, c, err)
		}
		if c, err := strict.Find(t.Context(), id); err == nil {
			t.Errorf("%s: the loopback address was reached: %v", id, c)
		}
	}
	if _, err := open.Find(t.Context(), secure.URL+"/moved"); !errors.Is(err, clients.ErrBadDocument) {
		t.Errorf("a redirect: %v, want ErrBadDocument", err)
	}
	if _, err := open.Find(t.Context(), "http://example.org/client.json"); !errors.Is(err, clients.ErrBadDocument) {
		t.Errorf("http elsewhere: %v, want ErrBadDocument", err)
	}
}

func FuzzDocument(f *testing.F) {
	for _, body := range []string{
		document(docID, nil), document(docID, map[string]any{"client_name": nil, "redirect_uris": []string{"http://localhost/cb", "x:/y"}}),
		document(docID, map[string]any{"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_methods_supported": []string{"none"}}),
		`{"client_id":"` + docID + `","client_id":"x"}`, `{"client_id":null}`, `{`, `[]`, `{"redirect_uris":[{}]}`, `{"client_name":"\u202e"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := newWeb()
		w.put(docID, body)
		d := fuzzDirectory(&memory{}, w)
		c, err := d.Find(t.Context(), docID)
		if err != nil {
			if p, ok := errors.AsType[*clients.Problem](err); !ok || !errors.Is(err, clients.ErrBadDocument) || !isDescription(p.Detail) {
				t.Errorf("error %v", err)
			}
			return
		}
		if c.ID != docID || c.AuthMethod != "none" || (c.Secret != store.Hash{}) || c.Kind != store.ClientDocument || !strings.Contains(body, "app.example.org") && !strings.Contains(body, `\`) {
			t.Errorf("client %+v", c)
		}
		checkClient(t, d, c.Name, c.URI, c.RedirectURIs)
	})
}
