package nextcloudtest

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAuthMatrix asks every simulated API of the recorded matrix in every way of authenticating.
func TestAuthMatrix(t *testing.T) {
	var matrix []struct {
		API       string         `json:"api"`
		Method    string         `json:"method"`
		Path      string         `json:"path"`
		OCSHeader bool           `json:"ocs_header"`
		Status    map[string]int `json:"status"`
	}
	text, err := os.ReadFile("testdata/auth-matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	unmarshal(t, string(text), &matrix)
	bodies := map[string]string{
		"OCS v2 capabilities": "", "OCS v2 cloud/user": "", "CalDAV PROPFIND": "", "Notes v1 GET list": "", "OIDC userinfo": "", "WebDAV PROPFIND": "",
		"OCS user edit (pw confirm)": "key=email&value=alice%40example.org", "Notes v1 PUT": `{"content":"x"}`,
	}

	s := New(&Options{BruteForceLimit: -1})
	jwtClient := s.AddClient(ClientConfig{Name: "jwt", RedirectURIs: []string{testCallback}, TokenType: "jwt"})
	opaque := tokensFor(t, s, "alice", testClient(s), nil)
	appPassword := s.CreateAppPassword("alice", "matrix")
	credentials := map[string]string{
		"basic-account":       basic("alice", "alice-password-1"),
		"basic-app":           basic("alice", appPassword),
		"bearer-opaque":       "Bearer " + opaque.Access,
		"bearer-jwt":          "Bearer " + tokensFor(t, s, "alice", jwtClient, nil).Access,
		"bearer-jwt-aud-mcp":  "Bearer " + tokensFor(t, s, "alice", jwtClient, url.Values{"resource": {"http://127.0.0.1:8000/mcp"}}).Access,
		"bearer-scope-openid": "Bearer " + tokensFor(t, s, "alice", jwtClient, url.Values{"scope": {"openid"}}).Access,
		"bearer-id_token":     "Bearer " + opaque.ID,
		"bearer-app-pw":       "Bearer " + appPassword,
		"bad-bearer":          "Bearer wrong",
		"none":                "",
	}
	made := ask(t, s, http.MethodPost, notesList, `{"title":"matrix"}`, "Authorization", credentials["basic-account"], "Content-Type", "application/json")
	var note struct {
		ID int `json:"id"`
	}
	unmarshal(t, made.Body.String(), &note)

	tried := 0
	for _, row := range matrix {
		body, simulated := bodies[row.API]
		if !simulated {
			continue
		}
		tried++
		contentType := formType
		if strings.HasPrefix(body, "{") {
			contentType = "application/json"
			row.Path = notesList + "/" + itoa(note.ID)
		}
		header := ""
		if row.OCSHeader {
			header = "true"
		}
		got := map[string]int{}
		for name := range row.Status {
			authorization, known := credentials[name]
			if !known {
				t.Fatalf("unknown way %s", name)
			}
			got[name] = ask(t, s, row.Method, row.Path, body, "Authorization", authorization, "OCS-APIRequest", header, "Content-Type", contentType, "Depth", "0").Code
		}
		if diff := cmp.Diff(row.Status, got); diff != "" {
			t.Errorf("%s, OCS header %v (-recorded +here):\n%s", row.API, row.OCSHeader, diff)
		}
	}
	if tried != 2*len(bodies) {
		t.Errorf("%d rows tried, want %d", tried, 2*len(bodies))
	}
}

// Cookies decide who a request is from, whatever else it carries.
func TestCookiesOutrankCredentials(t *testing.T) {
	s := New(nil)
	first := ask(t, s, http.MethodGet, whoAmI, "", "Authorization", basic("alice", "alice-password-1"), "OCS-APIRequest", "true")
	cookie, _, _ := strings.Cut(first.Header().Get("Set-Cookie"), ";")
	if cookie == "" {
		t.Fatal("no cookie came with the answer")
	}
	for _, authorization := range []string{basic("bob", "bob-password-1"), basic("bob", "wrong"), "Bearer wrong", ""} {
		for _, target := range []string{whoAmI, notesList} {
			answer := ask(t, s, http.MethodGet, target, "", "Authorization", authorization, "Cookie", cookie, "OCS-APIRequest", "true")
			if user := answer.Header().Get("X-User-Id"); answer.Code != http.StatusOK || user != "alice" {
				t.Errorf("%s with %q: %d as %q, want 200 as alice", target, authorization, answer.Code, user)
			}
		}
	}
	dav := ask(t, s, "PROPFIND", "/remote.php/dav/calendars/alice/", "", "Authorization", basic("bob", "bob-password-1"), "Cookie", cookie, "Depth", "0")
	if user := dav.Header().Get("X-User-Id"); user != "alice" {
		t.Errorf("DAV answered as %q, want alice", user)
	}
	if n := s.BadLogins(); n != 0 {
		t.Errorf("%d bad logins counted, want none: the credentials were never looked at", n)
	}
}

// A jar outlives its token, until one request without the OCS header to an app's API logs it out.
func TestJarOutlivesToken(t *testing.T) {
	s := New(nil)
	token := "Bearer " + tokensFor(t, s, "alice", testClient(s), nil).Access
	first := ask(t, s, http.MethodGet, whoAmI, "", "Authorization", token, "OCS-APIRequest", "true")
	cookie, _, _ := strings.Cut(first.Header().Get("Set-Cookie"), ";")
	s.RevokeTokens("alice")
	withJar := func(target, ocs string) int {
		return ask(t, s, http.MethodGet, target, "", "Authorization", token, "Cookie", cookie, "OCS-APIRequest", ocs).Code
	}
	wantStatus(t, "revoked token alone", http.StatusUnauthorized, status(t, s, whoAmI, token))
	wantStatus(t, "jar after the token was revoked", http.StatusOK, withJar(whoAmI, "true"))
	wantStatus(t, "jar mints an app password", http.StatusOK, withJar(exchangeMe, "true"))
	wantStatus(t, "app API without the OCS header", http.StatusUnauthorized, withJar(notesList, ""))
	wantStatus(t, "jar after that", http.StatusUnauthorized, withJar(whoAmI, "true"))
}

func TestSessionsPileUp(t *testing.T) {
	s := New(nil)
	token := "Bearer " + tokensFor(t, s, "bob", testClient(s), nil).Access
	before := s.Sessions("bob")
	for range 10 {
		wantStatus(t, "cloud/user", http.StatusOK, status(t, s, whoAmI, token))
	}
	if got := s.Sessions("bob") - before; got != 10 {
		t.Errorf("%d sessions left by 10 requests, want 10", got)
	}
}

// TestExchange: a bearer token for an app password, on each version that was looked at.
func TestExchange(t *testing.T) {
	tests := []struct {
		version                 string
		exchange, after6Minutes int
	}{
		{"28.0.2", http.StatusForbidden, 0},
		{"29.0.1", http.StatusForbidden, 0},
		{"30.0.5", http.StatusOK, http.StatusUnauthorized},
		{"31.0.2", http.StatusOK, http.StatusUnauthorized},
		{"34.0.1", http.StatusOK, http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.version, func(t *testing.T) {
			now := newClock()
			s := New(&Options{Version: test.version, Now: now.Now, BruteForceLimit: -1})
			token := "Bearer " + tokensFor(t, s, "alice", testClient(s), nil).Access
			answer := ask(t, s, http.MethodGet, exchangeMe, "", "Authorization", token, "OCS-APIRequest", "true", "User-Agent", "Claude via test")
			wantStatus(t, "exchange", test.exchange, answer.Code)
			if test.exchange != http.StatusOK {
				return
			}
			secret := appPasswordIn(t, answer.Body.String())
			if got := s.AppPasswords("alice"); len(got) != 1 || got[0].Name != "Claude via test" {
				t.Errorf("app passwords %+v, want one named by the User-Agent", got)
			}
			mine := basic("alice", secret)
			wantStatus(t, "at once", http.StatusOK, status(t, s, whoAmI, mine))
			wantStatus(t, "exchange of an app password", http.StatusForbidden, status(t, s, exchangeMe, mine))
			now.advance(6 * time.Minute)
			wantStatus(t, "6 minutes later", test.after6Minutes, status(t, s, whoAmI, mine))
			wantStatus(t, "login with the account password", http.StatusOK, status(t, s, whoAmI, basic("alice", "alice-password-1")))
			wantStatus(t, "after that login", http.StatusOK, status(t, s, whoAmI, mine))
		})
	}
}

func appPasswordIn(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		OCS struct {
			Data struct {
				AppPassword string `json:"apppassword"`
			} `json:"data"`
		} `json:"ocs"`
	}
	unmarshal(t, body, &answer)
	if len(answer.OCS.Data.AppPassword) != appPasswordLength {
		t.Fatalf("app password of %d characters", len(answer.OCS.Data.AppPassword))
	}
	return answer.OCS.Data.AppPassword
}

func TestAppPasswordLife(t *testing.T) {
	const target = "/ocs/v2.php/core/apppassword?format=json"
	s := New(&Options{BruteForceLimit: -1})
	client := testClient(s)
	token := "Bearer " + tokensFor(t, s, "alice", client, nil).Access
	answer := ask(t, s, http.MethodGet, exchangeMe, "", "Authorization", token, "OCS-APIRequest", "true")
	mine := basic("alice", appPasswordIn(t, answer.Body.String()))

	wantStatus(t, "delete with a bearer token", http.StatusForbidden, ask(t, s, http.MethodDelete, target, "", "Authorization", token, "OCS-APIRequest", "true").Code)
	wantStatus(t, "delete without the OCS header", http.StatusPreconditionFailed, ask(t, s, http.MethodDelete, target, "", "Authorization", mine).Code)
	s.DeleteClient(client.ID)
	wantStatus(t, "token of a deleted client", http.StatusUnauthorized, status(t, s, whoAmI, token))
	wantStatus(t, "password exchanged for it", http.StatusOK, status(t, s, whoAmI, mine))
	s.SetPassword("alice", "alice-password-2")
	wantStatus(t, "after the user's new password", http.StatusOK, status(t, s, whoAmI, mine))
	s.AdminResetPassword("alice", "alice-password-3")
	wantStatus(t, "after an administrator's reset", http.StatusUnauthorized, status(t, s, whoAmI, mine))
	wantStatus(t, "login with the new password", http.StatusOK, status(t, s, whoAmI, basic("alice", "alice-password-3")))
	wantStatus(t, "after that login", http.StatusOK, status(t, s, whoAmI, mine))
	s.DisableUser("alice", true)
	wantStatus(t, "disabled user", http.StatusUnauthorized, status(t, s, whoAmI, mine))
	wantStatus(t, "disabled user, DAV", http.StatusServiceUnavailable, ask(t, s, "PROPFIND", "/remote.php/dav/calendars/alice/", "", "Authorization", mine).Code)
	s.DisableUser("alice", false)
	wantStatus(t, "enabled again", http.StatusOK, status(t, s, whoAmI, mine))

	rotated := ask(t, s, http.MethodPost, target[:len("/ocs/v2.php/core/apppassword")]+"/rotate?format=json", "", "Authorization", mine, "OCS-APIRequest", "true")
	fresh := basic("alice", appPasswordIn(t, rotated.Body.String()))
	wantStatus(t, "old secret after rotation", http.StatusUnauthorized, status(t, s, whoAmI, mine))
	wantStatus(t, "delete with itself", http.StatusOK, ask(t, s, http.MethodDelete, target, "", "Authorization", fresh, "OCS-APIRequest", "true").Code)
	wantStatus(t, "after deletion", http.StatusUnauthorized, status(t, s, whoAmI, fresh))
}

func TestForbiddenAppPasswords(t *testing.T) {
	s := New(&Options{ForbidAppPasswords: true})
	wantStatus(t, "exchange", http.StatusForbidden, status(t, s, exchangeMe, "Bearer "+tokensFor(t, s, "alice", testClient(s), nil).Access))
	if n := len(s.AppPasswords("alice")); n != 0 {
		t.Errorf("%d app passwords made", n)
	}
}

// TestBearerByVersion: what OAuth tokens open on old and new versions.
func TestBearerByVersion(t *testing.T) {
	for version, want := range map[string]struct{ notes, idToken int }{
		"28.0.2": {http.StatusUnauthorized, http.StatusOK},
		"29.0.1": {http.StatusUnauthorized, http.StatusOK},
		"30.0.5": {http.StatusOK, http.StatusUnauthorized},
		"34.0.1": {http.StatusOK, http.StatusUnauthorized},
	} {
		t.Run(version, func(t *testing.T) {
			s := New(&Options{Version: version})
			tokens := tokensFor(t, s, "alice", testClient(s), nil)
			wantStatus(t, "OCS", http.StatusOK, status(t, s, whoAmI, "Bearer "+tokens.Access))
			wantStatus(t, "Notes", want.notes, status(t, s, notesList, "Bearer "+tokens.Access))
			wantStatus(t, "ID token", want.idToken, status(t, s, whoAmI, "Bearer "+tokens.ID))
			wantStatus(t, "Notes with Basic", http.StatusOK, status(t, s, notesList, basic("alice", "alice-password-1")))
		})
	}
	s := New(&Options{DisableUserOIDC: true})
	wantStatus(t, "without user_oidc", http.StatusUnauthorized, status(t, s, whoAmI, "Bearer "+tokensFor(t, s, "alice", testClient(s), nil).Access))
}

// TestBruteForce: bad logins of anybody lock everybody behind the address out.
func TestBruteForce(t *testing.T) {
	now := newClock()
	s := New(&Options{Now: now.Now})
	token := "Bearer " + tokensFor(t, s, "bob", testClient(s), nil).Access
	good := basic("bob", "bob-password-1")
	for i := range 12 {
		wantStatus(t, "bad login "+itoa(i+1), http.StatusUnauthorized, status(t, s, whoAmI, basic("alice", "wrong")))
	}
	wantStatus(t, "good credentials", http.StatusTooManyRequests, status(t, s, whoAmI, good))
	wantStatus(t, "DAV", http.StatusTooManyRequests, ask(t, s, "PROPFIND", "/remote.php/dav/calendars/bob/", "", "Authorization", good).Code)
	wantStatus(t, "Notes", http.StatusTooManyRequests, status(t, s, notesList, good))
	wantStatus(t, "bearer token", http.StatusOK, status(t, s, whoAmI, token))
	now.advance(31 * time.Minute)
	wantStatus(t, "half an hour later", http.StatusOK, status(t, s, whoAmI, good))
}

// TestLoginName: with LDAP the name that is typed is not the uid.
func TestLoginName(t *testing.T) {
	s := New(&Options{Users: []User{{ID: "5f1c", LoginName: "asmith", DisplayName: "Anne Smith", Email: "anne@example.org", Password: "anne-password-1"}}})
	answer := ask(t, s, http.MethodGet, whoAmI, "", "Authorization", basic("asmith", "anne-password-1"), "OCS-APIRequest", "true")
	if user := answer.Header().Get("X-User-Id"); user != "5f1c" {
		t.Errorf("X-User-Id %q, want the uid", user)
	}
	wantStatus(t, "uid as login name", http.StatusUnauthorized, status(t, s, whoAmI, basic("5f1c", "anne-password-1")))
	wantStatus(t, "mail address", http.StatusOK, status(t, s, whoAmI, basic("anne@example.org", "anne-password-1")))

	byPassword := appPasswordIn(t, ask(t, s, http.MethodGet, exchangeMe, "", "Authorization", basic("asmith", "anne-password-1"), "OCS-APIRequest", "true").Body.String())
	wantStatus(t, "app password with the login name", http.StatusOK, status(t, s, whoAmI, basic("asmith", byPassword)))
	wantStatus(t, "app password with the uid", http.StatusUnauthorized, status(t, s, whoAmI, basic("5f1c", byPassword)))

	token := tokensFor(t, s, "5f1c", testClient(s), nil).Access
	byBearer := appPasswordIn(t, ask(t, s, http.MethodGet, exchangeMe, "", "Authorization", "Bearer "+token, "OCS-APIRequest", "true").Body.String())
	wantStatus(t, "exchanged password with the uid", http.StatusOK, status(t, s, whoAmI, basic("5f1c", byBearer)))
}
