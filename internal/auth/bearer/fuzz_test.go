package bearer

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/auth"
)

// FuzzVerify looks for a text that is let in without being the one token that
// was issued, or that ends in anything but a refusal.
func FuzzVerify(f *testing.F) {
	p := standardProvider()
	p.introspect = answering(200, `{"active":false}`)
	v := newVerifier(p, func(c *Config) { c.UserinfoURI = "" })
	good := goodToken()
	for _, a := range attacks() {
		if len(a.token) <= maxToken+1 {
			f.Add(a.token)
		}
	}
	f.Add(good)
	f.Add(good + "=")
	f.Add("opaque")
	f.Add("e30.e30.e30")
	f.Add(strings.Repeat("eyJ.", 3))
	f.Fuzz(func(t *testing.T, token string) {
		principal, err := v.Verify(t.Context(), token)
		if token == good {
			return
		}
		if principal != nil || err == nil {
			t.Fatalf("let in: %q", token)
		}
		if e, ok := errors.AsType[*auth.Error](err); !ok || e.Status != http.StatusUnauthorized || e.Code != auth.CodeInvalidToken {
			t.Fatalf("refused with %v", err)
		}
	})
}
