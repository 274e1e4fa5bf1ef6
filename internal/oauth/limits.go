package oauth

import (
	"net/http"
	"net/netip"
	"time"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/store"
)

// Limits are the rates that requests are held to. A zero Rate means the
// default, a negative PerMinute means no limit.
type Limits struct {
	Register        ratelimit.Rate // registrations of one address; 20 a minute
	Authorize       ratelimit.Rate // authorization requests of one address; 60 a minute
	Token           ratelimit.Rate // token, revocation and registration management requests of one address; 600 a minute
	ClientAuthorize ratelimit.Rate // authorization requests of one client; 60 a minute
	ClientToken     ratelimit.Rate // token requests of one client; 120 a minute
	Keys            int            // how many addresses and clients each limit remembers; 10000
}

type limiters struct {
	proxies                                                  ratelimit.Proxies
	register, authorize, token, clientAuthorize, clientToken *ratelimit.Limiter
}

func newLimiters(l Limits, proxies ratelimit.Proxies) limiters {
	keys := l.Keys
	if keys <= 0 {
		keys = 10_000
	}
	limiter := func(r ratelimit.Rate, perMinute int) *ratelimit.Limiter {
		if r == (ratelimit.Rate{}) {
			r.PerMinute = perMinute
		}
		return ratelimit.New(r, keys)
	}
	return limiters{
		proxies:         proxies,
		register:        limiter(l.Register, 20),
		authorize:       limiter(l.Authorize, 60),
		token:           limiter(l.Token, 600),
		clientAuthorize: limiter(l.ClientAuthorize, 60),
		clientToken:     limiter(l.ClientToken, 120),
	}
}

func (l *limiters) address(r *http.Request) netip.Addr { return l.proxies.Of(r) }

// clientKey names the bucket of a client. Many people's clients share the id
// of one document or of one entry of the configuration, and anybody may claim
// it: there every address has its own bucket, so that nobody can use up that
// of the others. proven says that the client showed its secret.
func (l *limiters) clientKey(r *http.Request, c *clients.Client, proven bool) string {
	if c.Kind == store.ClientRegistered || proven {
		return c.ID
	}
	return ratelimit.Key(l.address(r)) + " " + c.ID
}

// limited holds an endpoint that speaks JSON to the rate of each address.
func (s *Server) limited(l *ratelimit.Limiter, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if ok, wait := l.Allow(ratelimit.Key(s.limits.address(r))); !ok {
			tooMany(w, wait)
			return
		}
		next(w, r)
	}
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", seconds(wait))
	writeError(w, http.StatusTooManyRequests, codeSlowDown, "Too many requests. Try again later.")
}
