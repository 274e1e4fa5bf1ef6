package oidcclient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// Clients keeps registrations over restarts.
type Clients interface {
	// OAuthClients are the registrations at provider, the active one first.
	OAuthClients(ctx context.Context, provider string) ([]store.OAuthClient, error)
	// ActivateOAuthClient keeps c as the active one and retires the one before.
	ActivateOAuthClient(ctx context.Context, c store.OAuthClient) error
	// DeleteOAuthClient forgets one.
	DeleteOAuthClient(ctx context.Context, provider, clientID string) error
}

// Leases let one process at a time do something.
type Leases interface {
	AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, owner string) error
}

// Store is what a Registrar keeps its registrations in.
type Store interface {
	Clients
	Leases
}

// RegistrarConfig says what to register, and where. A registration is used
// for exactly these values: when one changes, a new one is made.
type RegistrarConfig struct {
	Provider             string    // what registrations are kept under: the issuer
	RegistrationEndpoint string    // RFC 7591; empty means there is none
	RedirectURI          string    // {NEXTCLOUD_MCP_SERVER_URL}/oauth/callback
	Scopes               scope.Set // what may be asked for later
	Resource             string    // {NEXTCLOUD_MCP_SERVER_URL}/mcp; may be empty
	TokenType            string    // "jwt" or "opaque"; empty lets the provider choose
}

// Options are the optional parts of a Registrar; nil means all defaults.
type Options struct {
	// Grace is how long a retired client is kept after its last use, at least
	// the ten minutes that a sign-in may take; default 15 minutes.
	Grace time.Duration
}

const (
	defaultGrace = 15 * time.Minute
	minGrace     = 10 * time.Minute

	// leaseTTL is longer than one registration with its writes takes.
	leaseTTL = registrationTimeout + 15*time.Second
	// leaseWait is long enough to see a dead holder's lease end and to
	// register then.
	leaseWait = leaseTTL + registrationTimeout
	leasePoll = 500 * time.Millisecond

	saveTimeout = 10 * time.Second
)

// lastLonger is what an administrator can do against clients that expire soon.
const lastLonger = "occ config:app:set oidc client_expire_time --value=<seconds> makes registered clients last longer"

// ErrNotReady means that there are no credentials now. Errors with it wrap the
// reason, where one is known.
var ErrNotReady = errors.New("the OAuth client is not ready")

// ErrTooSoon means that credentials which are quite new were refused: to
// register again would go on for ever.
var ErrTooSoon = errors.New("the provider refuses a client that was registered a moment ago")

// A Registrar has this server registered at the provider and keeps it so:
// registrations outlive the process, are renewed before they expire, replaced
// when they are refused, and taken away once nobody uses them any more.
// Several processes on one store share one registration.
//
// Run does the work; Credentials never waits for it.
type Registrar struct {
	store Store
	http  *http.Client
	cfg   RegistrarConfig
	log   *slog.Logger
	grace time.Duration
	owner string // of leases

	work  chan struct{} // held by whoever talks to the provider or changes what is stored
	wake  chan struct{} // tells Run that its plan is out of date
	ready chan struct{} // closed with the first credentials

	trouble atomic.Pointer[string] // why there is no client, as Run last said; nil after a success

	explained string // the stored client whose end was told; guarded by work

	mu        sync.Mutex // guards the fields below
	current   store.OAuthClient
	renewAt   time.Time // zero means never
	retired   map[string]store.OAuthClient
	used      map[string]time.Time // last use of a client that is not current
	started   time.Time
	refused   string // a client id that the provider no longer knows
	patience  time.Duration
	lastError error
	refusal   *RegistrationError // of the last registration that failed
	notBefore time.Time          // no other is tried before
	isReady   bool
}

// New is a Registrar that does nothing yet: Run starts it.
func New(s Store, client *http.Client, cfg RegistrarConfig, log *slog.Logger, opts *Options) *Registrar {
	if opts == nil {
		opts = &Options{}
	}
	grace := opts.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	c := *client
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Registrar{
		store: s, http: &c, cfg: cfg, log: log, grace: max(grace, minGrace), owner: rand.Text(),
		work: make(chan struct{}, 1), wake: make(chan struct{}, 1), ready: make(chan struct{}),
		used: make(map[string]time.Time), started: time.Now(), patience: minPatience,
	}
}

// Ready is closed as soon as there are credentials for the first time.
func (r *Registrar) Ready() <-chan struct{} { return r.ready }

// Credentials are the ones to begin anything new with. It does not wait: when
// there are none now, the error is ErrNotReady with the reason.
func (r *Registrar) Credentials(context.Context) (Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.usableNow() {
		return credentials(r.current), nil
	}
	return Client{}, r.notReady()
}

// notReady is the error of having no credentials. The caller holds mu.
func (r *Registrar) notReady() error {
	if r.lastError != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, r.lastError)
	}
	return ErrNotReady
}

// usableNow reports whether there are credentials that may still be good. The
// caller holds mu.
func (r *Registrar) usableNow() bool {
	return r.current.ClientID != "" && r.current.ClientID != r.refused && !expired(r.current)
}

// Lookup are the credentials of a client that something was begun with: a
// sign-in, a refresh token. That may be a retired one, which is kept as long
// as it is looked up. The error is ErrUnknownClient when it is gone.
func (r *Registrar) Lookup(ctx context.Context, clientID string) (Client, error) {
	if clientID == "" {
		return Client{}, ErrUnknownClient
	}
	if c, ok := r.known(clientID); ok {
		return c, nil
	}
	rows, err := r.load(ctx) // another process may have registered it
	if err != nil {
		return Client{}, err
	}
	for _, row := range rows {
		if row.ClientID == clientID && row.Secret != "" && row.RetiredAt.IsZero() {
			return credentials(row), nil
		}
	}
	if c, ok := r.known(clientID); ok {
		return c, nil
	}
	return Client{}, ErrUnknownClient
}

func (r *Registrar) known(clientID string) (Client, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.current, r.current.ClientID == clientID
	if !ok {
		if row, ok = r.retired[clientID]; ok {
			r.used[clientID] = time.Now()
		}
	}
	return credentials(row), ok && row.Secret != ""
}

func credentials(c store.OAuthClient) Client {
	return Client{ID: c.ClientID, Secret: c.Secret, ExpiresAt: c.SecretExpiresAt}
}

// expired reports whether the provider has said that c is no longer good.
func expired(c store.OAuthClient) bool {
	return !c.SecretExpiresAt.IsZero() && !time.Now().Before(c.SecretExpiresAt)
}

// adopt makes row the current registration; saved says that it was made and
// stored just now. Whoever waits for Ready sees what was logged before.
func (r *Registrar) adopt(ctx context.Context, row store.OAuthClient, saved bool) {
	r.mu.Lock()
	fresh := r.current.ClientID != row.ClientID
	r.current, r.lastError = row, nil
	if fresh {
		r.renewAt = renewal(row)
	}
	first := !r.isReady
	r.isReady = true
	r.mu.Unlock()
	if !fresh {
		return
	}
	r.log.InfoContext(ctx, "OAuth client ready: "+short(row.ClientID)+"...")
	r.log.DebugContext(ctx, "OAuth client expires", "at", row.SecretExpiresAt)
	if saved {
		r.log.InfoContext(ctx, "Saved OAuth client credentials to SQLite database")
	}
	if first {
		close(r.ready)
	}
	r.wakeUp()
}

// wakeUp has Run look again what is to be done.
func (r *Registrar) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// short is the start of a client id, for logs.
func short(id string) string { return id[:min(len(id), 16)] }
