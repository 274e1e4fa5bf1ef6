package browser

import (
	"fmt"
	"net/http"
	"net/url"
)

// Guard refuses requests that change something and that a browser says come
// from another site. It is a second line: forms carry a token of their own.
type Guard struct {
	fetch  http.CrossOriginProtection  // of browsers that say where a request comes from
	origin *http.CrossOriginProtection // of others, as all are without TLS
}

// NewGuard is the guard of pages at the public address.
func NewGuard(public *url.URL) (*Guard, error) {
	g := &Guard{origin: http.NewCrossOriginProtection()}
	// A proxy may change the Host header, which the check compares with.
	if err := g.origin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("public address: %w", err)
	}
	return g, nil
}

// Allows reports whether r may go on.
func (g *Guard) Allows(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return g.fetch.Check(r) == nil
	}
	return g.origin.Check(r) == nil
}
