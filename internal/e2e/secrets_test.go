package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestSecrets runs the whole life of connections at debug level with a spy on
// both sides. None of the secrets that passed is in the log, the metrics, an
// error, or readable in a file.
func TestSecrets(t *testing.T) {
	t.Parallel()
	for _, stock := range []bool{true, false} {
		t.Run(fmt.Sprintf("stock %t", stock), func(t *testing.T) {
			t.Parallel()
			s := newSpy(t, &nextcloudtest.Options{DisableOIDC: stock})
			dir, port := t.TempDir(), freeport.Take(t)
			file := filepath.Join(dir, "tokens.db")
			endpoint, said, stop := serveAt(t, s.url, "METRICS_ENABLED=true", fmt.Sprintf("METRICS_PORT=%d", port), "TOKEN_STORAGE_DB="+file)
			life := &life{t: t, spy: s, p: newProgram(endpoint), b: site(endpoint).Alice(t)}
			live := life.run()
			errors := append(s.converse(t, dial(t, endpoint, live.Access)), life.failures()...)
			s.has(t, "access token", "refresh token", "client secret", "registration token", "code of", "code_verifier", "cookie", "CSRF", "app password", "Authorization", "journey")
			if stock {
				s.has(t, "poll token", "phone token")
			} else {
				s.has(t, "ID token", "code of the provider")
			}
			for i, text := range errors {
				s.search(t, fmt.Sprintf("error %d", i), text, canaryContent, canaryQuery)
			}
			s.search(t, "the log", said.String(), canaryTitle, canaryContent, canaryQuery)
			if !strings.Contains(said.String(), "client registered") || !strings.Contains(said.String(), "DEBUG") {
				t.Error("the log says nothing, so that its silence proves nothing")
			}
			for _, page := range []string{life.p.at + "/health/ready", fmt.Sprintf("http://127.0.0.1:%d/metrics", port)} {
				s.search(t, page, get(t, page).body, canaryTitle, canaryContent, canaryQuery)
			}
			s.searchFiles(t, dir) // with what is in the write-ahead log only
			stop()
			s.searchFiles(t, dir)
		})
	}
}

// searchFiles looks for every secret in what is on disk.
func (s *spy) searchFiles(t *testing.T, dir string) {
	t.Helper()
	var all []byte
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the files are %v, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
		// What a call named as its object is kept, for the person to read.
		s.search(t, filepath.Base(name), string(text), canaryContent)
	}
	for _, there := range []string{"Secret keeper", "alice"} {
		if !bytes.Contains(all, []byte(there)) {
			t.Errorf("%q is not on disk, so that nothing is proved by what is not found", there)
		}
	}
}

// life is a client and a person who keep account of each secret they see.
type life struct {
	t   *testing.T
	spy *spy
	p   *program
	b   *connecttest.Browser
}

// run connects with a secret, refreshes, signs in again, and ends. It answers
// the tokens of a connection that lives.
func (l *life) run() pair {
	l.t.Helper()
	ctx, p := l.t.Context(), l.p
	_, err := p.register(ctx, registration("Secret keeper", "client_secret_basic", nil, callback))
	if err != nil {
		l.t.Fatal(err)
	}
	l.spy.note("client secret of a client", p.secret)
	l.spy.note("registration token of a client", p.registration)
	managed := *p
	managed.headers = http.Header{"Authorization": {"Bearer " + p.registration}}
	if a, err := managed.send(ctx, http.MethodGet, p.at+"/oauth/register/"+p.id, "", ""); err != nil || a.status != http.StatusOK {
		l.t.Fatalf("%d %v", a.status, err)
	}
	ended := l.connect(url.Values{"decision": {"allow"}})
	if a, err := p.send(ctx, http.MethodPost, p.at+"/oauth/revoke", formType, url.Values{"token": {ended.Refresh}}.Encode()); err != nil || a.status != http.StatusOK {
		l.t.Fatalf("%d %v", a.status, err)
	}
	l.connect(url.Values{"decision": {"allow"}, "no_delete": {"1"}})
	live := l.connect(url.Values{"decision": {"allow"}, "no_delete": nil})
	got, err := p.refresh(ctx, live.Refresh)
	live = grants(l.t, got, err)
	l.keep(live)
	return live
}

func (l *life) keep(tokens pair) {
	l.spy.note("access token of a client", tokens.Access)
	l.spy.note("refresh token of a client", tokens.Refresh)
}

// connect goes through the pages of one authorization.
func (l *life) connect(form url.Values) pair {
	l.t.Helper()
	address, verifier := l.p.ask(url.Values{"state": {"canary-state-" + l.p.id}})
	l.spy.note("code_verifier of a client", verifier)
	page := l.b.Get(address)
	l.see(page)
	switch {
	case page.Elsewhere != "":
		back := l.b.Provider(page.Elsewhere)
		u, err := url.Parse(back)
		if err != nil {
			l.t.Fatal(err)
		}
		l.spy.note("code of the provider", u.Query().Get("code"))
		l.spy.note("state of the provider", u.Query().Get("state"))
		page = l.b.Get(back)
	case page.Link("/open") != "":
		_, rest, _ := strings.Cut(page.Text(), "/oauth/phone/")
		token, _, _ := strings.Cut(rest, " ")
		l.spy.note("phone token", token)
		page = granted(l.t, l.b, page)
	}
	l.see(page)
	l.see(l.b.Get("/account"))
	away, err := url.Parse(l.b.Submit(page, "/consent", form).Away())
	if err != nil || away.Query().Get("code") == "" {
		l.t.Fatalf("the consent leads to %s, %v", away, err)
	}
	l.spy.note("code of a client", away.Query().Get("code"))
	got, err := l.p.redeem(l.t.Context(), away.Query().Get("code"), verifier)
	got = grants(l.t, got, err)
	l.keep(got)
	return got
}

// see keeps account of what a page carries.
func (l *life) see(page *connecttest.Page) {
	l.spy.note("cookie of a browser", l.b.Cookie())
	for _, suffix := range []string{"/consent", "/sign-out"} {
		_, form := page.Form(suffix)
		l.spy.note("CSRF token of a page", form.Get("csrf"))
	}
	if page.URL == nil {
		return
	}
	if id, found := strings.CutPrefix(page.URL.Path, "/oauth/connect/"); found {
		l.spy.note("journey of a browser", id)
	}
}

// failures sends marked secrets to wherever one may be sent by mistake or by
// malice, and answers what came back.
func (l *life) failures() (texts []string) {
	l.t.Helper()
	ctx := l.t.Context()
	n := 0
	canary := func(prefix string) string {
		n++
		secret := fmt.Sprintf("%scanary-input-%04d-0123456789abcdefghijklmnopqrstuvwxyz", prefix, n)
		l.spy.note("marked input", secret)
		return secret
	}
	at := l.p.at
	ask := func(method, path, contentType, body string, header http.Header) {
		l.t.Helper()
		p := program{headers: header}
		a, err := p.send(ctx, method, at+path, contentType, body)
		if err != nil {
			l.t.Fatal(err)
		}
		if a.status < 300 && method == http.MethodPost && path != "/oauth/revoke" || a.status >= 500 {
			l.t.Errorf("%s %s is answered %d", method, path, a.status)
		}
		texts = append(texts, a.body+fmt.Sprint(a.header))
	}
	none := http.Header{}
	for _, prefix := range []string{"", "ncmcp_at_", "ncmcp_rt_", "ncmcp_code_", "eyJhbGciOiJSUzI1NiJ9.e30."} {
		ask(http.MethodPost, "/mcp", "application/json", list, http.Header{"Authorization": {"Bearer " + canary(prefix)}})
		ask(http.MethodPost, "/oauth/token", formType, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {canary(prefix)}, "client_id": {l.p.id}, "client_secret": {canary("")}}.Encode(), none)
		ask(http.MethodPost, "/oauth/token", formType, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {canary(prefix)}, "client_id": {"nobody"}}.Encode(), none)
		ask(http.MethodPost, "/oauth/token", formType, url.Values{"grant_type": {"authorization_code"}, "code": {canary(prefix)}, "code_verifier": {canary("")}, "redirect_uri": {canary("https://")}, "client_id": {l.p.id}}.Encode(), none)
		ask(http.MethodPost, "/oauth/revoke", formType, url.Values{"token": {canary(prefix)}, "client_id": {l.p.id}}.Encode(), none)
	}
	basic := func(user, password string) http.Header {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	ask(http.MethodPost, "/mcp", "application/json", list, basic("alice", canary("")))
	ask(http.MethodPost, "/oauth/token", formType, "grant_type=refresh_token&refresh_token=x", basic(l.p.id, canary("ncmcp_cs_")))
	ask(http.MethodGet, "/oauth/register/"+l.p.id, "", "", http.Header{"Authorization": {"Bearer " + canary("ncmcp_reg_")}})
	ask(http.MethodGet, "/oauth/callback?code="+canary("")+"&state="+canary(""), "", "", none)
	ask(http.MethodGet, "/oauth/callback?error="+canary("")+"&error_description="+canary("")+"&state="+canary(""), "", "", none)
	ask(http.MethodGet, "/oauth/connect/"+canary(""), "", "", http.Header{"Cookie": {"ncmcp=" + canary("")}})
	ask(http.MethodGet, "/oauth/phone/"+canary(""), "", "", none)
	ask(http.MethodPost, "/oauth/connect/"+canary("")+"/consent", formType, "csrf="+canary("")+"&decision=allow", http.Header{"Cookie": {"ncmcp=" + canary("")}})
	ask(http.MethodPost, "/account/end-all", formType, "csrf="+canary(""), http.Header{"Cookie": {"ncmcp=" + canary("")}, "Origin": {at}})
	ask(http.MethodGet, "/account?access_token="+canary(""), "", "", http.Header{"Cookie": {"ncmcp=" + canary("")}})
	ask(http.MethodGet, "/oauth/authorize?client_id="+canary("")+"&state="+canary("")+"&code_challenge="+canary(""), "", "", none)
	ask(http.MethodGet, "/oauth/authorize?client_id="+l.p.id+"&redirect_uri="+canary("https://evil.example/")+"&state="+canary(""), "", "", none)
	ask(http.MethodPost, "/oauth/register", "application/json", `{"client_secret":"`+canary("")+`","redirect_uris":["`+canary("https://user:pass@evil.example/")+`"]}`, none)
	ask(http.MethodGet, "/mcp?access_token="+canary(""), "", "", none)
	ask(http.MethodGet, "/"+canary(""), "", "", none)
	return texts
}
