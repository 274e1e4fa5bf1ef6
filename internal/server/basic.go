package server

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// basicWays are those of people who send their own Nextcloud login name and
// password with each request (RFC 7617).
type basicWays struct {
	cfg *Config
}

func (b *basicWays) prove(r *http.Request) (*auth.Principal, error) {
	loginName, password, ok := basicCredentials(r.Header)
	if !ok {
		return nil, nil //nolint:nilnil // nobody, see ways
	}
	address := connectionAddr
	if b.cfg.ClientAddr != nil {
		address = b.cfg.ClientAddr
	}
	p, err := b.cfg.Basic.Prove(r.Context(), loginName, password, address(r))
	if err == nil && p == nil {
		err = errNobody
	}
	return p, err
}

// connectionAddr is the address at the other end of the connection.
func connectionAddr(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// maxBasic bounds encoded credentials, in bytes.
const maxBasic = 4 << 10

// basicCredentials are those of the one Authorization header, in UTF-8, which
// the challenge asks for. RFC 7617, 2 has no control characters in them.
func basicCredentials(h http.Header) (loginName string, password auth.Secret, ok bool) {
	values := h.Values("Authorization")
	if len(values) != 1 || len(values[0]) > maxBasic {
		return "", "", false
	}
	scheme, encoded, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(strings.Trim(encoded, " "))
	if err != nil || !utf8.Valid(plain) || strings.ContainsFunc(string(plain), unicode.IsControl) {
		return "", "", false
	}
	loginName, word, _ := strings.Cut(string(plain), ":")
	if loginName == "" || word == "" {
		return "", "", false
	}
	return loginName, auth.Secret(word), true
}

func (b *basicWays) ask(w http.ResponseWriter, _ *http.Request, refusal *auth.Error) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Nextcloud", charset="UTF-8"`)
	if refusal == nil {
		writeError(w, http.StatusUnauthorized, "", "Sign in first: this server needs a Nextcloud login name and an app password (Basic authentication).")
		return
	}
	writeError(w, http.StatusUnauthorized, refusal.Code, refusal.Description)
}

// stepUp answers people whose right no scope could widen.
func (b *basicWays) stepUp(w http.ResponseWriter, _ *http.Request, p *auth.Principal, needs scope.Set) {
	writeError(w, http.StatusForbidden, auth.CodeInsufficientScope,
		"This needs "+p.Scopes.Missing(needs).String()+", which these credentials do not have.")
}
