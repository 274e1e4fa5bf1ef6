package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// program is an MCP client of plain requests, which can be made to behave, or
// to misbehave, as a given one does. Its methods answer errors instead of
// ending the test, so that it can live through the death of a server.
type program struct {
	at       string // where the server is reached; no slash at its end
	endpoint string // what it calls the resource; empty names none
	origin   string // of the page that it runs in; empty outside of a browser

	id, secret   string // the secret goes by Basic
	registration string // token of RFC 7592
	redirect     string
	scope        string
	headers      http.Header // of each request
}

// newProgram is an ordinary client of the server with an MCP address.
func newProgram(endpoint string) *program {
	return &program{at: strings.TrimSuffix(endpoint, "/mcp"), endpoint: endpoint, redirect: callback, headers: http.Header{}}
}

// send makes one request. It keeps no connection, since servers come and go.
func (p *program) send(ctx context.Context, method, address, contentType, body string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(r.Header, p.headers)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if p.origin != "" {
		r.Header.Set("Origin", p.origin)
	}
	if strings.HasPrefix(contentType, formType) && p.secret != "" {
		r.SetBasicAuth(url.QueryEscape(p.id), url.QueryEscape(p.secret)) // RFC 6749, 2.3.1
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

const formType = "application/x-www-form-urlencoded"

// register makes the program a client by dynamic registration.
func (p *program) register(ctx context.Context, metadata map[string]any) (answer, error) {
	body, err := json.Marshal(metadata)
	if err != nil {
		return answer{}, err
	}
	a, err := p.send(ctx, http.MethodPost, p.at+"/oauth/register", "application/json", string(body))
	if err != nil {
		return a, err
	}
	if a.status != http.StatusCreated {
		return a, fmt.Errorf("register: %d %s", a.status, a.body)
	}
	var told struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Token  string `json:"registration_access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &told); err != nil {
		return a, err
	}
	p.id, p.secret, p.registration = told.ID, told.Secret, told.Token
	return a, nil
}

// public is the registration of an ordinary client.
func (p *program) public(ctx context.Context) error {
	_, err := p.register(ctx, map[string]any{
		"client_name": "Program", "redirect_uris": []string{p.redirect}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	})
	return err
}

// ask is the address of an authorization request, with changes; the verifier
// belongs to it.
func (p *program) ask(change url.Values) (address, verifier string) {
	verifier = oauth2.GenerateVerifier()
	q := url.Values{
		"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {p.redirect}, "state": {"state-" + verifier[:8]},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}
	if p.endpoint != "" {
		q.Set("resource", p.endpoint)
	}
	if p.scope != "" {
		q.Set("scope", p.scope)
	}
	for name, values := range change {
		if q.Del(name); values != nil {
			q[name] = values
		}
	}
	return p.at + "/oauth/authorize?" + q.Encode(), verifier
}

// code lets a person sign in and allow, and answers the code with its
// verifier.
func (p *program) code(ctx context.Context, who *nextcloudtest.Browser) (code, verifier string, err error) {
	address, verifier := p.ask(nil)
	back, err := who.Visit(ctx, address, p.redirect)
	if err != nil {
		return "", "", err
	}
	q := back.Query()
	if q.Get("error") != "" || q.Get("state") != "state-"+verifier[:8] || q.Get("iss") == "" {
		return "", "", fmt.Errorf("the answer is %s", back)
	}
	return q.Get("code"), verifier, nil
}

// pair is the answer of the token endpoint, good or bad.
type pair struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
	Expires int    `json:"expires_in"`
	Error   string `json:"error"`

	answer
}

// token asks the token endpoint.
func (p *program) token(ctx context.Context, form url.Values) (pair, error) {
	if p.secret == "" {
		form.Set("client_id", p.id)
	}
	if p.endpoint != "" && !form.Has("resource") {
		form.Set("resource", p.endpoint)
	}
	a, err := p.send(ctx, http.MethodPost, p.at+"/oauth/token", formType, form.Encode())
	got := pair{answer: a}
	if err == nil {
		err = json.Unmarshal([]byte(a.body), &got)
	}
	return got, err
}

func (p *program) redeem(ctx context.Context, code, verifier string) (pair, error) {
	return p.token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {p.redirect}})
}

func (p *program) refresh(ctx context.Context, token string) (pair, error) {
	return p.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// signIn is all of it: from the question to the tokens.
func (p *program) signIn(ctx context.Context, who *nextcloudtest.Browser) (pair, error) {
	code, verifier, err := p.code(ctx, who)
	if err != nil {
		return pair{}, err
	}
	got, err := p.redeem(ctx, code, verifier)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("the code is answered %d %s", got.status, got.body)
	}
	return got, err
}

// revoke is RFC 7009.
func (p *program) revoke(ctx context.Context, token string) (answer, error) {
	return p.send(ctx, http.MethodPost, p.at+"/oauth/revoke", formType, url.Values{"client_id": {p.id}, "token": {token}}.Encode())
}

// call speaks MCP of a revision that has sessions no server needs to keep: a
// session is begun, a tool is called, and the session ends.
func (p *program) call(ctx context.Context, access, revision, tool, arguments string) (text string, status int, err error) {
	plain := p.headers
	defer func() { p.headers = plain }()
	p.headers = plain.Clone()
	p.headers.Set("Accept", "application/json, text/event-stream")
	if access != "" {
		p.headers.Set("Authorization", "Bearer "+access)
	}
	post := func(message string) (answer, error) {
		return p.send(ctx, http.MethodPost, p.at+"/mcp", "application/json", message)
	}
	a, err := post(strings.Replace(list, "2025-11-25", revision, 1))
	if err != nil || a.status != http.StatusOK {
		return a.body, a.status, err
	}
	if session := a.header.Get("Mcp-Session-Id"); session != "" {
		p.headers.Set("Mcp-Session-Id", session)
	}
	p.headers.Set("Mcp-Protocol-Version", revision)
	if _, err := post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`); err != nil {
		return "", 0, err
	}
	a, err = post(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `}}`)
	if err != nil {
		return "", 0, err
	}
	_, err = p.send(ctx, http.MethodDelete, p.at+"/mcp", "", "")
	return a.body, a.status, err
}

// works reports whether an access token reads notes; when it does not, the
// status is that of the answer.
func (p *program) works(ctx context.Context, access string) (ok bool, status int, err error) {
	text, status, err := p.call(ctx, access, "2025-06-18", "nc_notes_search_notes", `{"query":""}`)
	return err == nil && status == http.StatusOK && strings.Contains(text, `"items"`) && !strings.Contains(text, `"isError":true`), status, err
}

// person is alice or bob at a browser.
func person(user string) *nextcloudtest.Browser {
	return nextcloudtest.NewBrowser(user, user+"-password-1")
}

// connected is a program with which a person signed in.
func connected(t *testing.T, endpoint, user string) (*program, pair) {
	t.Helper()
	p := newProgram(endpoint)
	if err := p.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, err := p.signIn(t.Context(), person(user))
	if err != nil {
		t.Fatal(err)
	}
	return p, tokens
}

// lets checks that an access token works.
func lets(t *testing.T, p *program, access string) {
	t.Helper()
	if ok, status, err := p.works(t.Context(), access); !ok {
		t.Errorf("a good token is answered %d, %v", status, err)
	}
}

// shuts checks that an access token is refused at the door.
func shuts(t *testing.T, p *program, access string) {
	t.Helper()
	if _, status, err := p.works(t.Context(), access); status != http.StatusUnauthorized {
		t.Errorf("an ended token is answered %d, %v", status, err)
	}
}

// grants checks that the token endpoint answers a request that it must take.
func grants(t *testing.T, got pair, err error) pair {
	t.Helper()
	if err == nil && (got.status != http.StatusOK || got.Access == "") {
		err = errors.New(got.body)
	}
	if err != nil {
		t.Fatalf("no tokens: %d %v", got.status, err)
	}
	return got
}

// denies checks that it answers with an error code of RFC 6749, 5.2.
func denies(t *testing.T, what, code string, got pair, err error) {
	t.Helper()
	if err != nil || got.Error != code || got.Access != "" || got.status != http.StatusBadRequest && got.status != http.StatusUnauthorized {
		t.Errorf("%s: %d %s, %v; want %s", what, got.status, got.body, err, code)
	}
}
