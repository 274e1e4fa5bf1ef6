package browser

import (
	"encoding/base64"
	"net/http"

	"nextcloud-mcp-server/internal/auth"
)

// The names of the cookie. Browsers take a __Host- cookie only from the host
// itself, by https and with the path "/" (RFC 6265bis, 4.1.3.2).
const (
	secureName = "__Host-ncmcp"
	plainName  = "ncmcp"
)

const cookieBytes = 32

// cookie is how the browser carries the session.
type cookie struct {
	name   string
	secure bool
}

// read is the value of the first cookie that has the right form. What another
// host or path planted beside it does not count.
func (c cookie) read(r *http.Request) (auth.Secret, bool) {
	for _, one := range r.CookiesNamed(c.name) {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(one.Value)
		if err == nil && len(raw) == cookieBytes {
			return auth.Secret(one.Value), true
		}
	}
	return "", false
}

// write lasts until the browser closes; the store decides about earlier ends.
func (c cookie) write(w http.ResponseWriter, value auth.Secret) { c.send(w, value.Reveal(), 0) }

func (c cookie) remove(w http.ResponseWriter) { c.send(w, "", -1) }

// send keeps scripts and other sites' requests from the cookie. Lax, not
// strict: the provider's answer arrives by a link from another site.
func (c cookie) send(w http.ResponseWriter, value string, maxAge int) {
	//nolint:gosec // Secure follows the public address: on loopback there is no TLS
	http.SetCookie(w, &http.Cookie{
		Name: c.name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
}
