package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// door is the front door of OAuth mode: it proves the bearer of every request
// (prove), and that it may do what the request asks (admit), before MCP sees
// it. Between the two the body is read, which costs memory, so that strangers
// cannot make it be read.
type door struct {
	cfg      *Config
	metadata string // URL of the protected resource metadata
}

type principalKey struct{}

func newDoor(cfg *Config) *door { return &door{cfg, metadataURL(cfg.Public)} }

// metadataURL is where the metadata of the resource is (RFC 9728, 3.1): the
// well-known part stands between host and path.
func metadataURL(public *url.URL) string {
	return public.Scheme + "://" + public.Host + wellKnown + strings.TrimSuffix(public.Path, "/") + mcpPath
}

// prove lets in who holds a good token.
func (d *door) prove(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := bearerToken(r.Header)
		if !ok {
			d.challenge(w, http.StatusUnauthorized, "", "", d.ordinary())
			return
		}
		p, err := d.cfg.Door.Verify(r.Context(), token)
		if err == nil && p == nil {
			err = errors.New("the verifier named nobody")
		}
		if err != nil {
			d.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}

// admit lets through what the caller's scopes allow, with the caller's proof
// where handlers find it.
func (d *door) admit(next http.Handler) http.Handler {
	// The SDK hands a TokenInfo to handlers only through its own middleware,
	// whose challenges are not enough; so it is given what was proved here. It
	// must not look at the expiry again: it knows nothing of clock skew.
	inject := sdkauth.RequireBearerToken(func(ctx context.Context, _ string, _ *http.Request) (*sdkauth.TokenInfo, error) {
		p, ok := ctx.Value(principalKey{}).(*auth.Principal)
		if !ok {
			return nil, sdkauth.ErrInvalidToken
		}
		return &sdkauth.TokenInfo{
			Scopes: p.Scopes.Strings(), UserID: p.Person(), Extra: map[string]any{tool.PrincipalKey: p},
		}, nil
	}, &sdkauth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := r.Context().Value(principalKey{}).(*auth.Principal)
		if needs := d.needs(r.Context()); p != nil && !p.Allows(needs) {
			d.challenge(w, http.StatusForbidden, auth.CodeInsufficientScope,
				"This needs the scope "+p.Scopes.Missing(needs).String()+", which was not granted.", stepUp(needs, p.Scopes))
			return
		}
		inject.ServeHTTP(w, r)
	})
}

// stepUp are the scopes to ask for when granted are not enough. Old clients
// replace their scopes by the challenged ones, so what was granted already is
// named too; except offline_access, which a resource must not ask for (MCP
// 2026-07-28, Authorization).
func stepUp(needs, granted scope.Set) scope.Set {
	all := needs.Union(granted).Scopes()
	return scope.NewSet(slices.DeleteFunc(all, func(s scope.Scope) bool { return s == scope.OfflineAccess })...)
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

// needs are the scopes that all messages of the request need. Nothing is
// offered under a name that the gate does not know, so such a message needs
// none, and the protocol answers that it is unknown.
func (d *door) needs(ctx context.Context) scope.Set {
	var needs scope.Set
	for _, m := range messages(ctx) {
		var n scope.Set
		switch m.method {
		case "tools/call":
			n, _ = d.cfg.Gate.ToolNeeds(m.tool)
		case "resources/read", "resources/subscribe", "resources/unsubscribe":
			n, _ = d.cfg.Gate.ResourceNeeds(m.uri)
		case "completion/complete":
			n, _ = d.cfg.Gate.ResourceNeeds(m.ref)
		}
		needs = needs.Union(n)
	}
	return needs
}

// ordinary are the scopes that ordinary use needs; a first sign-in asks for
// them.
func (d *door) ordinary() scope.Set {
	return scope.NewSet(scope.OpenID, scope.Profile).Union(d.cfg.Gate.Scopes())
}

// refuse answers a token that was not proved.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *auth.Error
	if !errors.As(err, &refusal) {
		if r.Context().Err() != nil {
			return // the client is gone
		}
		d.cfg.Log.ErrorContext(r.Context(), "A token could not be checked", "error", err)
		refusal = &auth.Error{Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable, Description: "The token cannot be checked now."}
	}
	switch refusal.Status {
	case http.StatusUnauthorized:
		code := refusal.Code
		if code == "" {
			code = auth.CodeInvalidToken // without a code it would say that there was no token
		}
		d.challenge(w, refusal.Status, code, refusal.Description, d.ordinary())
	default:
		unavailable(w, refusal)
	}
}

// unavailable answers 503 with Retry-After, or whatever status the error says.
func unavailable(w http.ResponseWriter, e *auth.Error) {
	wait, status := e.RetryAfter, e.Status
	if wait <= 0 {
		wait = 5 * time.Second
	}
	if status < 400 {
		status = http.StatusServiceUnavailable
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	writeError(w, status, e.Code, e.Description)
}

// challenge answers 401 or 403 (RFC 6750, 3; RFC 9728, 5.1). Without a code
// there was no token, and RFC 6750 wants no error then.
func (d *door) challenge(w http.ResponseWriter, status int, code, description string, needed scope.Set) {
	var params []string
	if code != "" {
		params = append(params, param("error", code), param("error_description", description))
	}
	params = append(params, param("resource_metadata", d.metadata), param("scope", needed.String()))
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

// writeError is the body of a refusal: nothing that the caller must not know.
func writeError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body := struct {
		Error       string `json:"error,omitempty"`
		Description string `json:"error_description,omitempty"`
	}{code, description}
	_ = json.NewEncoder(w).Encode(body)
}
