package server

import (
	"context"
	"errors"
	"net/http"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// door is the front door: it proves who sends each request (prove), and that
// they may do what it asks (admit), before MCP sees it. Between the two the
// body is read, which costs memory, so that strangers cannot make it be read.
type door struct {
	cfg  *Config
	ways ways
}

// ways are how one kind of credentials is proved, asked for and refused.
type ways interface {
	// prove answers nobody, without an error, when no credentials came.
	prove(r *http.Request) (*auth.Principal, error)
	// ask answers 401 to a request without credentials, or with a refusal to
	// one whose credentials were refused.
	ask(w http.ResponseWriter, r *http.Request, refusal *auth.Error)
	// stepUp answers 403 to who lacks scopes.
	stepUp(w http.ResponseWriter, r *http.Request, p *auth.Principal, needs scope.Set)
}

type principalKey struct{}

// newDoor is nil where /mcp is open.
func newDoor(cfg *Config) *door {
	switch {
	case cfg.Basic != nil:
		return &door{cfg, &basicWays{cfg}}
	case cfg.Door != nil:
		return &door{cfg, &bearerWays{cfg, metadataURL(cfg.Public)}}
	}
	return nil
}

// prove lets in who shows good credentials.
func (d *door) prove(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := d.ways.prove(r)
		switch {
		case err != nil:
			d.refuse(w, r, err)
			return
		case p == nil:
			d.ways.ask(w, r, nil)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}

// errNobody is the fault of a verifier that has no error and no person.
var errNobody = errors.New("the verifier named nobody")

// admit lets through what the caller's scopes allow, and what the person
// denied this connection, which is answered where it would run. The caller's
// proof is put where handlers find it.
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
		if p == nil {
			d.ways.ask(w, r, nil)
			return
		}
		if needs := d.needs(r.Context(), p); !p.Allows(needs) {
			d.ways.stepUp(w, r, p, needs)
			return
		}
		// Its middleware looks for a bearer in the header, whatever proved p.
		if _, bearer := d.ways.(*bearerWays); !bearer {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer proved")
		}
		inject.ServeHTTP(w, r)
	})
}

// needs are the scopes that all messages of the request need, except those
// that the person denied anyhow. Nothing is offered under a name that the gate
// does not know, so such a message needs none, and the protocol answers that
// it is unknown.
func (d *door) needs(ctx context.Context, p *auth.Principal) scope.Set {
	var needs scope.Set
	gate := d.cfg.Gate
	for _, m := range messages(ctx) {
		var n scope.Set
		var denied bool
		switch m.method {
		case "tools/call":
			n, _ = gate.ToolNeeds(m.tool)
			denied = gate.DeniesTool(p, m.tool)
		case "resources/read", "resources/subscribe", "resources/unsubscribe":
			n, _ = gate.ResourceNeeds(m.uri)
			denied = gate.DeniesResource(p, m.uri)
		case "prompts/get":
			n, _ = gate.PromptNeeds(m.tool)
			denied = gate.DeniesPrompt(p, m.tool)
		case "completion/complete":
			n, _ = gate.ResourceNeeds(m.ref)
			denied = gate.DeniesResource(p, m.ref)
		}
		if !denied {
			needs = needs.Union(n)
		}
	}
	return needs
}

// refuse answers credentials that were not proved.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *auth.Error
	if !errors.As(err, &refusal) {
		if r.Context().Err() != nil {
			return // the client is gone
		}
		d.cfg.Log.ErrorContext(r.Context(), "Credentials could not be checked", "error", err)
		refusal = &auth.Error{Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable, Description: "The credentials cannot be checked now."}
	}
	if refusal.Status == http.StatusUnauthorized {
		d.ways.ask(w, r, refusal)
		return
	}
	unavailable(w, refusal)
}
