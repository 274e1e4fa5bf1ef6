package bearer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"nextcloud-mcp-server/internal/auth"
)

const (
	checkTimeout = 15 * time.Second // one verification, its questions included
	jwtKept      = time.Hour        // a signed token is checked again after this at the latest
	activeKept   = 5 * time.Minute  // an issuer's "active" is believed this long, to notice revocation
	maxQuestions = 16               // questions to the issuer at the same time
)

// How the server presents its client credentials at the introspection
// endpoint (RFC 8414, introspection_endpoint_auth_methods_supported).
const (
	AuthBasic = "client_secret_basic" // the default
	AuthPost  = "client_secret_post"
)

// Config says whose tokens are accepted, and for whom they must be meant.
type Config struct {
	// Issuer is compared byte for byte with the token's "iss".
	Issuer string

	JWKSURI          string // the issuer's keys; empty means signed tokens go to introspection
	IntrospectionURI string // RFC 7662; empty means opaque tokens go to userinfo
	// UserinfoURI is asked about opaque tokens when there is no introspection
	// endpoint. Userinfo does not say for whom a token was issued: any token of
	// the issuer passes there, so leave it empty where the issuer serves others.
	UserinfoURI string

	// Resource are the accepted audiences (RFC 8707), the canonical one first.
	// Each is accepted with and without one trailing slash, and not otherwise.
	Resource []string

	// Client is this server's own client at the issuer: it authenticates
	// introspection, and its id is an accepted audience. An empty id means that
	// there is none. It may be nil.
	Client func(ctx context.Context) (id string, secret auth.Secret, err error)
	// AuthMethod is AuthBasic, AuthPost or empty for AuthBasic.
	AuthMethod string
	// OnInvalidClient is told when the issuer no longer knows that client, at
	// most once a minute for the same credentials. It must return soon. It may
	// be nil.
	OnInvalidClient func(ctx context.Context, id string)

	// TrustIntrospection takes "active" as proof of the audience.
	//
	// Nextcloud: the oidc app answers active only to the client that owns the
	// token or whose resource it is for, and "aud" then names the owner.
	TrustIntrospection bool
	// ScopePrefix is a resource server id that the issuer puts before scopes
	// ("id/notes.read"); it is stripped.
	ScopePrefix string
	// ClientIDAsAudience lets "client_id" stand in for a missing "aud", as AWS
	// Cognito needs.
	ClientIDAsAudience bool

	HTTP *http.Client // redirects are never followed; nil means a default client
	Log  *slog.Logger // nil means silent
}

// Options tune New; nil means all defaults.
type Options struct {
	CacheSize int // remembered tokens; default 8192
}

// Verifier checks bearer tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	cfg       Config
	audiences []string
	http      *http.Client
	log       *slog.Logger

	keys    *keyCache // nil without JWKSURI
	seen    *memory
	flights singleflight.Group
	slots   chan struct{} // bounds the questions to the issuer

	mu     sync.Mutex // guards the fields below
	pause  time.Time  // the issuer asked for silence until then
	denied [sha256.Size]byte
	deny   time.Time // the client credentials hashed in denied are not sent until then
}

var _ auth.Verifier = (*Verifier)(nil)

// New is a verifier for the issuer of cfg. It asks the issuer nothing before
// the first token comes.
func New(cfg Config, opts *Options) *Verifier {
	if opts == nil {
		opts = &Options{}
	}
	size := opts.CacheSize
	if size <= 0 {
		size = 8192
	}
	v := &Verifier{
		cfg:   cfg,
		http:  withoutRedirects(cfg.HTTP),
		log:   cfg.Log,
		seen:  newMemory(size),
		slots: make(chan struct{}, maxQuestions),
	}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	for _, r := range cfg.Resource {
		if bare := strings.TrimSuffix(r, "/"); bare != "" {
			v.audiences = append(v.audiences, bare, bare+"/")
		}
	}
	if cfg.JWKSURI != "" {
		v.keys = newKeyCache(cfg.JWKSURI, v.http, v.log)
	}
	return v
}

// proof is what a check established.
type proof struct {
	principal auth.Principal // without its token
	until     time.Time      // how long it may be remembered
	ends      bool           // whether principal.Expires is the end of the token itself
}

// Verify proves who the token speaks for. Every error is an *auth.Error: 401
// when the token is refused, 503 when it cannot be checked now.
func (v *Verifier) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	if len(token) > maxToken {
		return nil, v.logged(ctx, refuse(Malformed, errTooLong))
	}
	id := digestOf(token)
	p, err := v.seen.get(id, time.Now())
	if p == nil && err == nil {
		p, err = v.once(ctx, id, token)
	}
	if err != nil {
		return nil, copied(err)
	}
	own := *p
	own.Token = auth.Secret(token)
	return &own, nil
}

// Forget drops what is remembered about the token, so that its next use is
// checked again.
func (v *Verifier) Forget(token string) {
	id := digestOf(token)
	v.flights.Forget(string(id[:]))
	v.seen.forget(id)
}

// Refuse lets the token in no more, for as long as it lives: Nextcloud refused
// what it stands for. When its end is not known, that is 24 hours.
func (v *Verifier) Refuse(token string) {
	v.seen.refuse(digestOf(token), time.Now())
}

// once checks a token that is not remembered; all its callers at that moment
// share one check, and one who leaves does not end it for the others.
func (v *Verifier) once(ctx context.Context, id digest, token string) (*auth.Principal, error) {
	answer := v.flights.DoChan(string(id[:]), func() (any, error) {
		return v.check(context.WithoutCancel(ctx), id, token)
	})
	select {
	case <-ctx.Done():
		return nil, unavailable(NetworkError, 0, ctx.Err())
	case r := <-answer:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*auth.Principal), nil
	}
}

func (v *Verifier) check(ctx context.Context, id digest, token string) (_ *auth.Principal, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	// This runs in a goroutine of its own, where no HTTP server would recover a
	// panic of a parser: it must refuse the token, not end the process.
	defer func() {
		if r := recover(); r != nil {
			v.log.ErrorContext(ctx, "Token check panicked", "kind", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
			err = refuse(Malformed, errors.New("panic"))
		}
	}()

	epoch := v.seen.now()
	pr, err := v.prove(ctx, token)
	if err != nil {
		if e, ok := errors.AsType[*auth.Error](err); ok && e.Status == http.StatusUnauthorized {
			v.seen.putBad(id, e, time.Now(), epoch)
		}
		return nil, v.logged(ctx, err)
	}
	v.seen.putGood(id, pr, epoch)
	v.log.DebugContext(ctx, "Token validated successfully for user: "+pr.principal.Name)
	return &pr.principal, nil
}

// prove picks the one way a token can be proved; a refusal there is final.
func (v *Verifier) prove(ctx context.Context, token string) (*proof, error) {
	kind, err := shapeOf(token)
	switch {
	case err != nil:
		return nil, refuse(Malformed, err)
	case kind == signed && v.keys != nil:
		v.log.DebugContext(ctx, "Token validation via JWKS")
		return v.proveSigned(ctx, token)
	case v.cfg.IntrospectionURI != "":
		v.log.DebugContext(ctx, "Token validation via introspection endpoint")
		return v.introspect(ctx, token)
	case kind == opaque && v.cfg.UserinfoURI != "":
		v.log.DebugContext(ctx, "Token validation via userinfo endpoint")
		return v.userinfo(ctx, token)
	}
	return nil, refuse(NotConfigured, nil)
}

// client is this server's own client; its id is empty when it has none.
func (v *Verifier) client(ctx context.Context) (string, auth.Secret, error) {
	if v.cfg.Client == nil {
		return "", "", nil
	}
	id, secret, err := v.cfg.Client(ctx)
	if err != nil {
		return "", "", unavailable(NoClient, defaultWait, err)
	}
	return id, secret, nil
}
