package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// bearerWays are those of OAuth access tokens.
type bearerWays struct {
	cfg      *Config
	metadata string // URL of the protected resource metadata
}

// metadataURL is where the metadata of the resource is (RFC 9728, 3.1): the
// well-known part stands between host and path.
func metadataURL(public *url.URL) string {
	return public.Scheme + "://" + public.Host + wellKnown + strings.TrimSuffix(public.Path, "/") + mcpPath
}

func (b *bearerWays) prove(r *http.Request) (*auth.Principal, error) {
	token, ok := bearerToken(r.Header)
	if !ok {
		return nil, nil //nolint:nilnil // nobody, see ways
	}
	p, err := b.cfg.Door.Verify(r.Context(), token)
	if err == nil && p == nil {
		err = errNobody
	}
	return p, err
}

// bearerToken is the token of the one Authorization header (RFC 6750, 2.1).
// Tokens in the query or the body are never taken.
func bearerToken(h http.Header) (string, bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	foreign := func(r rune) bool { return r <= ' ' || r > '~' }
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsFunc(token, foreign) {
		return "", false
	}
	return token, true
}

func (b *bearerWays) ask(w http.ResponseWriter, r *http.Request, refusal *auth.Error) {
	// A first sign-in asks for what ordinary use needs.
	ordinary := b.cfg.Identity.Union(b.cfg.Gate.Scopes())
	if refusal == nil {
		b.challenge(w, r, http.StatusUnauthorized, "", "", ordinary)
		return
	}
	code := refusal.Code
	if code == "" {
		code = auth.CodeInvalidToken // without a code it would say that there was no token
	}
	b.challenge(w, r, refusal.Status, code, refusal.Description, ordinary)
}

// stepUp names the scopes to ask for anew. Old clients replace their scopes by
// the challenged ones, so what was granted already is named too; except
// offline_access, which a resource must not ask for (MCP 2026-07-28,
// Authorization).
func (b *bearerWays) stepUp(w http.ResponseWriter, r *http.Request, p *auth.Principal, needs scope.Set) {
	all := needs.Union(p.Scopes).Scopes()
	all = slices.DeleteFunc(all, func(s scope.Scope) bool { return s == scope.OfflineAccess })
	b.challenge(w, r, http.StatusForbidden, auth.CodeInsufficientScope,
		"This needs the scope "+p.Scopes.Missing(needs).String()+", which was not granted.", scope.NewSet(all...))
}

// challenge answers 401 or 403 (RFC 6750, 3; RFC 9728, 5.1). Without a code
// there was no token, and RFC 6750 wants no error then.
func (b *bearerWays) challenge(w http.ResponseWriter, r *http.Request, status int, code, description string, needed scope.Set) {
	var params []string
	if code != "" {
		params = append(params, param("error", code), param("error_description", description))
	}
	params = append(params, param("resource_metadata", b.metadata+tierQuery(r)), param("scope", needed.String()))
	w.Header().Set("WWW-Authenticate", "Bearer "+strings.Join(params, ", "))
	if code == "" {
		description = "Sign in first: this server needs an OAuth access token."
	}
	writeError(w, status, code, description)
}

// param is one parameter of a challenge; quotes, backslashes and everything
// outside ASCII are left out of the value (RFC 6750, 3).
func param(name, value string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, value)
	return fmt.Sprintf(`%s="%s"`, name, clean)
}
