package nextcloudtest

import (
	"net/http"
	"net/url"
	"testing"
)

// TestSecureCookies go where browsers send them: to loopback without TLS, too.
func TestSecureCookies(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]int{
		"http://127.0.0.1:8080/": 1, "http://localhost/": 1, "http://[::1]:1/": 1, "https://idp.example/": 1, "http://idp.example/": 0,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		jar := newJar()
		jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "x", Secure: true}})
		if got := len(jar.Cookies(u)); got != want {
			t.Errorf("%s gets %d cookies back, want %d", address, got, want)
		}
	}
}
