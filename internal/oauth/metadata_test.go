package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/oauth"
)

func document(t *testing.T, r *rig, path string) map[string]any {
	t.Helper()
	w := r.do(httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%s: status %d, %v", path, w.Code, w.Header())
	}
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return doc
}

func TestMetadata(t *testing.T) {
	r := newRig(t)
	list := func(items ...string) []any {
		out := make([]any, len(items))
		for i, s := range items {
			out[i] = s
		}
		return out
	}
	want := map[string]any{
		"issuer":                                         issuer,
		"authorization_endpoint":                         issuer + "/oauth/authorize",
		"token_endpoint":                                 issuer + "/oauth/token",
		"registration_endpoint":                          issuer + "/oauth/register",
		"revocation_endpoint":                            issuer + "/oauth/revoke",
		"scopes_supported":                               list("calendar.read", "calendar.write", "notes.read", "notes.write", "offline_access"),
		"response_types_supported":                       list("code"),
		"response_modes_supported":                       list("query"),
		"grant_types_supported":                          list("authorization_code", "refresh_token"),
		"token_endpoint_auth_methods_supported":          list("none", "client_secret_basic", "client_secret_post"),
		"revocation_endpoint_auth_methods_supported":     list("none", "client_secret_basic", "client_secret_post"),
		"code_challenge_methods_supported":               list("S256"),
		"authorization_response_iss_parameter_supported": true,
		"client_id_metadata_document_supported":          true,
		"service_documentation":                          issuer + "/",
	}
	for _, path := range []string{
		"/.well-known/oauth-authorization-server",
		"/.well-known/oauth-authorization-server/nc",
		"/nc/.well-known/oauth-authorization-server",
	} {
		if diff := cmp.Diff(want, document(t, r, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	// What the OpenID Connect schema of the official TypeScript client requires.
	want["jwks_uri"] = issuer + "/oauth/jwks"
	want["subject_types_supported"] = list("public")
	want["id_token_signing_alg_values_supported"] = list("RS256")
	for _, path := range []string{
		"/.well-known/openid-configuration",
		"/.well-known/openid-configuration/nc",
		"/nc/.well-known/openid-configuration",
	} {
		if diff := cmp.Diff(want, document(t, r, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if diff := cmp.Diff(map[string]any{"keys": []any{}}, document(t, r, "/nc/oauth/jwks")); diff != "" {
		t.Errorf("keys: %s", diff)
	}
}

func TestMetadataOffersWhatThereIs(t *testing.T) {
	r := newRig(t, func(cfg *oauth.Config) { cfg.NoRegistration, cfg.NoDocuments = true, true })
	doc := document(t, r, "/.well-known/oauth-authorization-server")
	for _, name := range []string{"registration_endpoint", "client_id_metadata_document_supported"} {
		if doc[name] != nil {
			t.Errorf("%s is %v", name, doc[name])
		}
	}
}

// Clients that run in a browser read and call these from their own origin.
func TestPagesOfOtherOriginsMayCall(t *testing.T) {
	r := newRig(t)
	for path, method := range map[string]string{
		"/.well-known/oauth-authorization-server": http.MethodGet,
		"/.well-known/openid-configuration":       http.MethodGet,
		"/oauth/token":                            http.MethodPost,
		"/nc/oauth/token":                         http.MethodPost,
		"/oauth/revoke":                           http.MethodPost,
		"/oauth/register":                         http.MethodPost,
		"/oauth/register/abc":                     http.MethodDelete,
	} {
		req := httptest.NewRequest(http.MethodOptions, path, nil)
		req.Header.Set("Origin", "https://inspector.example")
		req.Header.Set("Access-Control-Request-Method", method)
		w := r.do(req)
		h := w.Header()
		if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: status %d, %v", path, w.Code, h)
		}
		if !slices.Contains(strings.Split(h.Get("Access-Control-Allow-Methods"), ", "), method) {
			t.Errorf("%s: methods %q", path, h.Get("Access-Control-Allow-Methods"))
		}
		if !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("%s: headers %q", path, h.Get("Access-Control-Allow-Headers"))
		}
	}
	if h := r.do(httptest.NewRequest(http.MethodOptions, "/oauth/authorize", nil)).Header(); h.Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages of other origins may read the authorization endpoint")
	}
}

func TestMetadataMethods(t *testing.T) {
	r := newRig(t)
	ts := httptest.NewServer(r.mux)
	defer ts.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, ts.URL+"/.well-known/oauth-authorization-server", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := ts.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %v", resp)
	}
	if w := r.do(httptest.NewRequest(http.MethodPost, "/.well-known/oauth-authorization-server", nil)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST: status %d, %v", w.Code, w.Header())
	}
}

// A client registers, is found by the authorization endpoint, and unregisters.
func TestRegistration(t *testing.T) {
	for _, prefix := range []string{"", "/nc"} {
		r := newRig(t)
		req := httptest.NewRequest(http.MethodPost, prefix+"/oauth/register", strings.NewReader(`{"redirect_uris":["http://localhost:1/cb"],"client_name":"New"}`))
		req.Header.Set("Content-Type", "application/json")
		w := r.do(req)
		var made struct {
			ID    string `json:"client_id"`
			Token string `json:"registration_access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("status %d, %v, %s", w.Code, w.Header(), w.Body)
		}
		ask := with(wellFormed(), "client_id", made.ID, "redirect_uri", "http://localhost:2/cb")
		if r.do(httptest.NewRequest(http.MethodGet, prefix+"/oauth/authorize?"+ask.Encode(), nil)); len(r.began) != 1 {
			t.Errorf("the new client was refused: %v", r.failed)
		}
		for _, c := range []struct {
			method string
			status int
		}{{http.MethodGet, http.StatusOK}, {http.MethodPut, http.StatusMethodNotAllowed}, {http.MethodDelete, http.StatusNoContent}, {http.MethodGet, http.StatusUnauthorized}} {
			req := httptest.NewRequest(c.method, prefix+"/oauth/register/"+made.ID, nil)
			req.Header.Set("Authorization", "Bearer "+made.Token)
			if w := r.do(req); w.Code != c.status {
				t.Errorf("%s: status %d, %s", c.method, w.Code, w.Body)
			}
		}
	}
}
