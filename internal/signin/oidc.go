package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/auth/bearer"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oidcclient"
)

// AttemptLife is how long a sign-in at the provider may take.
const AttemptLife = 20 * time.Minute

// OIDCOptions are the settings of an OIDC.
type OIDCOptions struct {
	// RedirectURI is where the provider sends the browser back to:
	// {public URL}/oauth/callback.
	RedirectURI string
	// Scopes are asked for beside openid, profile and email, such as one that
	// an external provider needs to put Nextcloud into the audience.
	Scopes []string
	// ResourceServerID is put before Scopes ("id/scope"), as AWS Cognito
	// needs.
	ResourceServerID string
	// Resource is Nextcloud's name at an external provider (RFC 8707), for a
	// user_oidc that checks audiences; may be empty. Nextcloud's own provider
	// is never asked for it: there the audience limits nothing.
	Resource string

	// Version is the Nextcloud's version, empty when not known yet; then it is
	// asked. It may be nil.
	Version func() string
	// Lookup is the client that something was begun with, where it is not the
	// current one any more. It may be nil.
	Lookup func(ctx context.Context, clientID string) (oidcclient.Client, error)
	// RefusedClient is told that the provider refuses this server's client, so
	// that it is registered anew. It must return soon; it may be nil.
	RefusedClient func(ctx context.Context, clientID string)

	HTTP *http.Client // to the provider; nil means the one of the host
	Log  *slog.Logger // nil means silent
	Now  func() time.Time
}

// OIDC signs people in at an OpenID provider and settles what this server
// shows Nextcloud for them from then on. It is safe for concurrent use.
type OIDC struct {
	host     *nextcloud.Host
	provider func() (*oidcclient.Provider, oidcclient.Client, bool)
	opts     OIDCOptions

	// refreshUseless is set while app passwords were had for tokens, or no
	// token was taken: then no refresh token is asked for.
	refreshUseless atomic.Bool

	mu      sync.Mutex // guards the fields below
	keys    *bearer.Keys
	keysURI string
}

// NewOIDC signs people in for host. provider is the provider with this
// server's own client there; false while there is none.
func NewOIDC(host *nextcloud.Host, provider func() (*oidcclient.Provider, oidcclient.Client, bool), opts OIDCOptions) *OIDC {
	if opts.HTTP == nil {
		opts.HTTP = host.HTTP()
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Version == nil {
		opts.Version = func() string { return "" }
	}
	return &OIDC{host: host, provider: provider, opts: opts}
}

// Available reports whether people can sign in this way now.
func (o *OIDC) Available() bool {
	_, _, ok := o.provider()
	return ok
}

// StartOptions are what a sign-in is for; nil means a credential is wanted and
// whoever is signed in at the provider may go on.
type StartOptions struct {
	// NoCredential is for sign-ins that need to know the person only.
	NoCredential bool
	// Again makes the person sign in anew, perhaps as somebody else.
	Again bool
}

// Attempt is one sign-in at the provider. Its JSON is for sealed storage only;
// printed, it shows nothing.
type Attempt struct {
	URL          string    `json:"url"` // for the person's browser
	State        string    `json:"state"`
	Nonce        string    `json:"nonce"`
	Verifier     string    `json:"verifier"` // of PKCE; secret
	Issuer       string    `json:"issuer"`
	ClientID     string    `json:"client_id"`
	Resource     string    `json:"resource,omitempty"`
	Device       string    `json:"device"`
	NoCredential bool      `json:"no_credential,omitempty"`
	StartedAt    time.Time `json:"started_at"`
}

// Format keeps the attempt out of whatever prints it.
func (a Attempt) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "signin.Attempt") }

// LogValue hides the attempt from slog.
func (a Attempt) LogValue() slog.Value { return slog.StringValue("signin.Attempt") }

// Start begins a sign-in. device is the name that an app password gets in the
// person's security settings, see DeviceName. Errors are *Problem.
func (o *OIDC) Start(_ context.Context, device string, opts *StartOptions) (*Attempt, error) {
	if opts == nil {
		opts = &StartOptions{}
	}
	p, client, ok := o.provider()
	if !ok {
		return nil, &Problem{ProviderDown, errNoProvider}
	}
	a := &Attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Issuer: p.Issuer, ClientID: client.ID, Resource: o.resource(p),
		Device: cut(plain(device), maxDevice), NoCredential: opts.NoCredential, StartedAt: o.opts.Now(),
	}
	request := o.authorization(a)
	request.Scopes = o.scopes(p, opts.NoCredential)
	if opts.Again {
		request.Prompt = "login"
	}
	var err error
	if a.URL, err = p.AuthorizationURL(client, request); err != nil {
		return nil, &Problem{ProviderMistake, err}
	}
	return a, nil
}

var errNoProvider = errors.New("the OpenID provider is not ready")

// authorization is the request of an attempt, as far as redeeming its code
// needs it.
func (o *OIDC) authorization(a *Attempt) *oidcclient.Authorization {
	return &oidcclient.Authorization{
		RedirectURI: o.opts.RedirectURI, State: a.State, Nonce: a.Nonce, Verifier: a.Verifier, Resource: a.Resource,
	}
}

// scopes are what is asked for. Scopes that are not listed are left out where
// there is a list: some providers refuse the whole request for one.
func (o *OIDC) scopes(p *oidcclient.Provider, noCredential bool) []string {
	scopes := []string{"openid"}
	for _, s := range []string{"profile", "email"} {
		if p.Supports(s) {
			scopes = append(scopes, s)
		}
	}
	prefix := ""
	if o.opts.ResourceServerID != "" {
		prefix = strings.TrimSuffix(o.opts.ResourceServerID, "/") + "/"
	}
	for _, s := range o.opts.Scopes {
		if !identityScope(s) {
			s = prefix + strings.TrimPrefix(s, prefix)
		}
		if !slices.Contains(scopes, s) && s != offline {
			scopes = append(scopes, s)
		}
	}
	// Some providers keep a session for good for each refresh token, so none is
	// asked for that nobody will use.
	if !noCredential && slices.Contains(p.ScopesSupported, offline) && !o.refreshUseless.Load() && mayExchange(o.opts.Version()) {
		scopes = append(scopes, offline)
	}
	return scopes
}

const offline = "offline_access"

// identityScope reports whether a scope is one of OpenID Connect itself, which
// no resource server's id is put before.
func identityScope(s string) bool {
	switch s {
	case "openid", "profile", "email", "address", "phone", offline:
		return true
	}
	return false
}

// resource is what is asked for as resource at p.
func (o *OIDC) resource(p *oidcclient.Provider) string {
	for _, own := range []string{o.host.Base().String(), o.host.PublicURL("")} {
		a, okA := hostAndPath(own)
		b, okB := hostAndPath(p.Issuer)
		if okA && okB && a == b {
			return ""
		}
	}
	return o.opts.Resource
}

// signingKeys are the keys of p.
func (o *OIDC) signingKeys(p *oidcclient.Provider) *bearer.Keys {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys == nil || o.keysURI != p.JWKSURI {
		o.keys, o.keysURI = bearer.NewKeys(p.JWKSURI, o.opts.HTTP, o.opts.Log), p.JWKSURI
	}
	return o.keys
}

// client is the own client that something was begun with.
func (o *OIDC) client(ctx context.Context, current oidcclient.Client, id string) (oidcclient.Client, error) {
	if id == current.ID {
		return current, nil
	}
	if o.opts.Lookup == nil {
		return oidcclient.Client{}, oidcclient.ErrUnknownClient
	}
	return o.opts.Lookup(ctx, id)
}

// refused passes on that the provider refuses our client.
func (o *OIDC) refused(ctx context.Context, problem *Problem, clientID string) *Problem {
	if problem.Code == ProviderRefusesUs && o.opts.RefusedClient != nil {
		o.opts.RefusedClient(context.WithoutCancel(ctx), clientID)
	}
	return problem
}

// one is the value of a parameter that comes once; false when it is repeated
// (RFC 6749, 3.1).
func one(q url.Values, name string) (string, bool) {
	values := q[name]
	if len(values) == 0 {
		return "", true
	}
	return values[0], len(values) == 1
}
