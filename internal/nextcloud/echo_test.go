package nextcloud_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// TestEchoedCredentials: an answer that repeats the credentials of its request
// is not shown.
func TestEchoedCredentials(t *testing.T) {
	t.Parallel()
	const secret = "canary/secret/0123456789"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.URL.Query().Get("say") + " " + r.Header.Get("Authorization")
		if _, password, ok := r.BasicAuth(); ok && r.URL.Query().Has("decoded") {
			text = "wrong password " + password
		}
		if r.URL.Query().Has("nothing") {
			text = "a fine reason"
		}
		body, _ := json.Marshal(map[string]string{"message": text})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		// As PHP writes it.
		_, _ = w.Write([]byte(strings.ReplaceAll(string(body), "/", `\/`)))
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	host := nextcloud.NewHost(base, nil)
	for name, credentials := range map[string]nextcloud.Credentials{
		"Basic": nextcloud.Basic{LoginName: "alice", Password: secret}, "Bearer": nextcloud.Bearer{Token: auth.Secret(secret)},
	} {
		for _, query := range []string{"decoded", "say=x", "say=" + strings.Repeat("x", 190), "nothing"} {
			q, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			_, err = nextcloud.New(host, credentials, nil).Do(t.Context(), nextcloud.Request{Op: "try", Path: "/x", Query: q})
			if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "YWxpY2U6") || strings.Contains(err.Error(), "xxx") {
				t.Errorf("%s, %s: %v", name, query, err)
			}
			if shown := err != nil && strings.Contains(err.Error(), "a fine reason"); shown != (query == "nothing") {
				t.Errorf("%s, %s: %v", name, query, err)
			}
		}
	}
}
