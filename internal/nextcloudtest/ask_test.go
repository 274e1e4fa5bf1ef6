package nextcloudtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ask sends one request straight to the handler. Headers are pairs of name and value; empty values are left out.
func ask(t *testing.T, s *Server, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	return answer
}

const (
	whoAmI     = "/ocs/v2.php/cloud/user?format=json"
	notesList  = "/index.php/apps/notes/api/v1/notes"
	exchangeMe = "/ocs/v2.php/core/getapppassword?format=json"
	formType   = "application/x-www-form-urlencoded"
)

// status asks with an Authorization header and the OCS header.
func status(t *testing.T, s *Server, target, authorization string) int {
	t.Helper()
	return ask(t, s, http.MethodGet, target, "", "Authorization", authorization, "OCS-APIRequest", "true").Code
}

func wantStatus(t *testing.T, what string, want, got int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: status %d, want %d", what, got, want)
	}
}

func unmarshal(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
}

// clock is a time that tests move on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const testCallback = "http://127.0.0.1:9999/callback"

// testTokens is a parsed token answer.
type testTokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ID        string `json:"id_token"`
	ExpiresIn int    `json:"expires_in"`
	Error     string `json:"error"`
}

// codeFor runs an authorization request of a signed-in user and returns the code.
func codeFor(t *testing.T, s *Server, userID, clientID string, extra url.Values) string {
	t.Helper()
	query := url.Values{"client_id": {clientID}, "redirect_uri": {testCallback}, "response_type": {"code"}, "state": {"s"}, "scope": {"openid offline_access"}}
	maps.Copy(query, extra)
	_, cookie := signedIn(t, s, userID)
	answer := ask(t, s, http.MethodGet, "/apps/oidc/authorize?"+query.Encode(), "", "Cookie", cookie)
	u, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("authorize: %d, Location %q", answer.Code, answer.Header().Get("Location"))
	}
	return u.Query().Get("code")
}

// requestTokens posts to the token endpoint.
func requestTokens(t *testing.T, s *Server, c ClientInfo, form url.Values) (int, testTokens) {
	t.Helper()
	form.Set("client_id", c.ID)
	form.Set("client_secret", c.Secret)
	answer := ask(t, s, http.MethodPost, "/apps/oidc/token", form.Encode(), "Content-Type", formType)
	var tokens testTokens
	unmarshal(t, answer.Body.String(), &tokens)
	return answer.Code, tokens
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {testCallback}}
}

// tokensFor makes tokens for a user.
func tokensFor(t *testing.T, s *Server, userID string, c ClientInfo, extra url.Values) testTokens {
	t.Helper()
	code, tokens := requestTokens(t, s, c, codeForm(codeFor(t, s, userID, c.ID, extra)))
	if code != http.StatusOK {
		t.Fatalf("token: %d %s", code, tokens.Error)
	}
	return tokens
}

func testClient(s *Server) ClientInfo {
	return s.AddClient(ClientConfig{Name: "test", RedirectURIs: []string{testCallback}})
}

func itoa(n int) string { return strconv.Itoa(n) }
