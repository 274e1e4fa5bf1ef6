package dataleg

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
)

// Passwords keeps the app passwords of grants, encrypted.
type Passwords interface {
	AppPassword(ctx context.Context, grant string) (store.AppPassword, error) // or store.ErrNotFound
	PutAppPassword(ctx context.Context, p store.AppPassword) error
	TouchAppPassword(ctx context.Context, grant string, used time.Time) error // or store.ErrNotFound
	ProveAppPassword(ctx context.Context, grant string, at time.Time) error
	DeleteAppPassword(ctx context.Context, grant string) error
	UnusedAppPasswords(ctx context.Context, before time.Time, limit int) ([]store.AppPassword, error)
}

// Endings keeps tokens out over restarts and in every process.
type Endings interface {
	EndToken(ctx context.Context, hash [sha256.Size]byte, until time.Time) error
	TokenEnded(ctx context.Context, hash [sha256.Size]byte) (bool, error)
}

// Leases let one process at a time do something.
type Leases interface {
	AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, owner string) error
}

// Store is what processes on one database share.
type Store interface {
	Passwords
	Endings
	Leases
}

// Options are the optional parts of a Leg; nil means all defaults.
type Options struct {
	// NeverBearer forbids sending a person's own bearer token along when no
	// app password can be had (NEXTCLOUD_BEARER_PASSTHROUGH=never).
	NeverBearer bool
	// Link makes the address of a page where the person of p lets this server
	// work in Nextcloud, for calls that no credential can be had for otherwise.
	// It is empty where the person could not be proven there. nil gives none.
	Link func(ctx context.Context, p *auth.Principal) (address string, err error)
	// Unused is how long a grant's app password may lie unused before it is
	// deleted at Nextcloud; default 30 days.
	Unused time.Duration
	// Ended is told when Nextcloud ended a grant, once for each token of it
	// that was used lately, so that it is answered with 401 from now on. It
	// must return soon; it may be nil.
	Ended func(p *auth.Principal)
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Leg is the data leg of OAuth mode: an app password per grant, or the
// person's own bearer token. It is safe for concurrent use.
type Leg struct {
	host    *nextcloud.Host
	store   Store
	name    string
	log     *slog.Logger
	opts    Options
	state   hostState
	proving chan struct{} // held by whoever finds out whether passwords last

	refused  *expirable.LRU[digest, error] // tokens of grants that ended
	notTaken *expirable.LRU[digest, error] // tokens that Nextcloud never took

	mu     sync.Mutex // makes "get or add" of the field below one step
	grants *expirable.LRU[string, *grant]
}

// digest stands for a token.
type digest [sha256.Size]byte

// New is the leg to host. name is what people read in Nextcloud's security
// settings, such as "nextcloud-mcp-server (mcp.example.org)".
func New(host *nextcloud.Host, s Store, name string, log *slog.Logger, opts *Options) *Leg {
	l := &Leg{host: host, store: s, name: name, log: log, proving: make(chan struct{}, 1)}
	if opts != nil {
		l.opts = *opts
	}
	if l.opts.Unused == 0 {
		l.opts.Unused = 30 * 24 * time.Hour
	}
	if l.opts.Now == nil {
		l.opts.Now = time.Now
	}
	const maxGrants = 10_000
	l.grants = expirable.NewLRU[string, *grant](maxGrants, nil, time.Hour)
	l.refused = expirable.NewLRU[digest, error](maxGrants, nil, refusedPause)
	l.notTaken = expirable.NewLRU[digest, error](maxGrants, nil, refusedPause)
	return l
}

// grant is what the process remembers of one grant.
type grant struct {
	key  string
	turn chan struct{} // holds one token: whoever takes it may use the fields below

	password *password         // nil when there is none
	dead     *password         // the last one that Nextcloud refused
	bearer   *nextcloud.Client // with the token of bearerOf
	bearerOf digest
	user     nextcloud.UserID // empty until Nextcloud said it
	loaded   bool             // the store has been asked, and what it said holds

	mu     sync.Mutex // guards the field below
	tokens []token    // used lately, the newest first
}

// token is one token of a grant, with what it proved.
type token struct {
	hash  digest
	proof *auth.Principal
}

// maxTokens is how many tokens of a grant are ended with it. A client renews
// its token now and then, and may run on some machines.
const maxTokens = 4

// saw notes that a token of the grant was used, and reports whether it is new
// to this process.
func (g *grant) saw(hash digest, p *auth.Principal) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.tokens) > 0 && g.tokens[0].hash == hash {
		return false
	}
	before := len(g.tokens)
	g.tokens = slices.DeleteFunc(g.tokens, func(t token) bool { return t.hash == hash })
	first = len(g.tokens) == before
	g.tokens = slices.Insert(g.tokens, 0, token{hash, p})
	if len(g.tokens) > maxTokens {
		clear(g.tokens[maxTokens:]) // nobody needs the tokens any longer
		g.tokens = g.tokens[:maxTokens]
	}
	return first
}

// takeTokens answers the tokens used lately and forgets them.
func (g *grant) takeTokens() []token {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.tokens
	g.tokens = nil
	return all
}

// Client is the client of Nextcloud for the person and client application of
// p. It implements tool.Clients.
func (l *Leg) Client(ctx context.Context, p *auth.Principal) (*nextcloud.Client, error) {
	hash := digest(sha256.Sum256([]byte(p.Token.Reveal())))
	if err, ok := l.refused.Get(hash); ok {
		return nil, err
	}
	g := l.grant(p.Grant())
	select {
	case <-g.turn:
		defer func() { g.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Whoever had the turn may have found out that this token is no good.
	if err, ok := l.refused.Get(hash); ok {
		return nil, err
	}
	if g.saw(hash, p) {
		if err := l.checkEnded(ctx, p, hash); err != nil {
			return nil, err
		}
	}
	if nc, err := l.usePassword(ctx, g); nc != nil || err != nil {
		return nc, err
	}
	if err, ok := l.notTaken.Get(hash); ok {
		return nil, l.askToSignIn(ctx, p, g, err)
	}
	if nc, err := l.newPassword(ctx, p, g, hash); nc != nil || err != nil {
		return nc, err
	}
	return l.useBearer(ctx, p, g, hash)
}

func (l *Leg) grant(key string) *grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.grants.Get(key); ok {
		return g
	}
	g := &grant{key: key, turn: make(chan struct{}, 1)}
	g.turn <- struct{}{}
	l.grants.Add(key, g)
	return g
}

// endGrant lets no token of the grant in any more: Nextcloud refused what they
// stand for. The client is answered with 401 and has to sign in again.
func (l *Leg) endGrant(ctx context.Context, g *grant, user nextcloud.UserID) {
	tokens := g.takeTokens()
	if len(tokens) == 0 {
		return
	}
	l.log.InfoContext(ctx, "Nextcloud ended a grant; the client has to sign in again", "user", string(user), "client", tokens[0].proof.ClientID)
	for _, t := range tokens {
		l.refused.Add(t.hash, endedError(nil))
		// What a proof says of its end may be sooner than the token's.
		until := l.opts.Now().Add(time.Hour)
		if t.proof.Expires.After(until) {
			until = t.proof.Expires
		}
		if err := l.store.EndToken(ctx, t.hash, until); err != nil {
			l.log.WarnContext(ctx, "The end of a token could not be noted", "error", err)
		}
		if l.opts.Ended != nil {
			l.opts.Ended(t.proof)
		}
	}
}

// checkEnded refuses a token of a grant that ended in another process, or
// before a restart.
func (l *Leg) checkEnded(ctx context.Context, p *auth.Principal, hash digest) error {
	ended, err := l.store.TokenEnded(ctx, hash)
	switch {
	case err != nil:
		return fmt.Errorf("read ended tokens: %w", err)
	case !ended:
		return nil
	}
	refusal := endedError(nil)
	l.refused.Add(hash, refusal)
	if l.opts.Ended != nil {
		l.opts.Ended(p)
	}
	return refusal
}

// endedError is what calls of a grant that ended come to.
func endedError(cause error) error {
	return refusedError("Nextcloud no longer accepts this connection", cause)
}

func refusedError(message string, cause error) error {
	return &nextcloud.Error{
		Op: "sign in to Nextcloud", Kind: nextcloud.ErrUnauthenticated, Status: 401, Message: message, Err: cause,
	}
}

// nameFor is how an app password is listed in the person's settings.
func (l *Leg) nameFor(p *auth.Principal) string {
	client := printable(p.ClientID)
	if client == "" {
		return l.name
	}
	return l.name + " for client " + client[:min(len(client), 16)]
}

// printable is the printable ASCII of s, which any header can carry.
func printable(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] > ' ' && s[i] <= '~' {
			out = append(out, s[i])
		}
	}
	return string(out)
}
