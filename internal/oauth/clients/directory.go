package clients

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/store"
)

// Store keeps the clients that registered themselves. *store.Store is one.
type Store interface {
	PutClient(ctx context.Context, c store.Client) error
	Client(ctx context.Context, id string) (store.Client, error)
	DeleteClient(ctx context.Context, id string) error
	TouchClient(ctx context.Context, id string, at time.Time) error
	SweepClients(ctx context.Context, unusedBefore, neverUsedBefore time.Time, limit int) (int, error)
	CountClients(ctx context.Context) (int, error)
}

// Documents fetches client id metadata documents. *safehttp.Client is one.
type Documents interface {
	Get(ctx context.Context, url string) (*safehttp.Answer, error)
}

// Config says which clients there are.
type Config struct {
	Store     Store
	Documents Documents // nil: no client id metadata documents
	// InsecureDocuments takes http client ids on loopback too, for
	// demonstrations and tests.
	InsecureDocuments bool
	Configured        []Client         // of the configuration; their kind is set here
	Schemes           redirect.Schemes // private-use schemes of redirect URIs
	BaseURL           string           // of this server, without a trailing slash
	NoRegistration    bool             // clients cannot register themselves
	MaxRegistered     int              // how many registered clients are kept; default 10000
	// Deleted ends the grants of a client that is about to be deleted. May be
	// nil.
	Deleted func(ctx context.Context, clientID string) error
	Log     *slog.Logger
	Now     func() time.Time
}

const (
	defaultMaxRegistered = 10_000

	// unusedFor is how long a registered client without a grant is kept.
	unusedFor = 90 * 24 * time.Hour
	// neverUsedFor is how long one is kept that did nothing but register.
	neverUsedFor = 24 * time.Hour
	// idleWhenFull is how long it is kept when there are too many.
	idleWhenFull = time.Hour

	sweepBatch   = 500
	sweepBatches = 20

	// touchEvery is how exactly the last use of a client is known.
	touchEvery = time.Hour

	maxClientID = 1000 // bytes
)

// Directory knows the clients. It is safe for concurrent use.
type Directory struct {
	cfg        Config
	configured map[string]Client
	documents  *documents
}

// New is a Directory.
func New(cfg Config) *Directory {
	if cfg.MaxRegistered <= 0 {
		cfg.MaxRegistered = defaultMaxRegistered
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	d := &Directory{cfg: cfg, configured: make(map[string]Client, len(cfg.Configured))}
	for _, c := range cfg.Configured {
		c.Kind = store.ClientConfigured
		d.configured[c.ID] = c
	}
	if cfg.Documents != nil {
		d.documents = newDocuments(cfg.Documents, cfg.Schemes, cfg.Log, cfg.Now)
	}
	return d
}

// Find is the client with an id: a configured one, one that a document
// describes, or one that registered. The error is a *Problem when there is no
// such client or its document cannot be had; any other error is the store's.
func (d *Directory) Find(ctx context.Context, id string) (*Client, error) {
	if c, ok := d.configured[id]; ok {
		return clone(c), nil
	}
	if d.isDocumentID(id) {
		if err := checkDocumentID(id); err != nil {
			return nil, err
		}
		c, err := d.documents.find(ctx, id)
		if err != nil {
			return nil, err
		}
		return clone(c), nil
	}
	return d.registered(ctx, id)
}

// Allows reports whether an answer to the client may go to redirectURI.
func (d *Directory) Allows(c *Client, redirectURI string) bool {
	if redirect.Check(redirectURI, d.cfg.Schemes) != nil {
		return false
	}
	return slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		return redirect.Match(registered, redirectURI)
	})
}

// Sweep deletes registered clients that have no grant and were not used for 90
// days, or not within a day of their registration. What is left of very many is for the next time.
func (d *Directory) Sweep(ctx context.Context) error {
	for range sweepBatches {
		now := d.cfg.Now()
		n, err := d.cfg.Store.SweepClients(ctx, now.Add(-unusedFor), now.Add(-neverUsedFor), sweepBatch)
		if err != nil {
			return fmt.Errorf("sweep clients: %w", err)
		}
		if n < sweepBatch {
			return nil
		}
	}
	return nil
}

// isDocumentID reports whether id names a client id metadata document.
func (d *Directory) isDocumentID(id string) bool {
	return d.documents != nil &&
		(strings.HasPrefix(id, "https://") || d.cfg.InsecureDocuments && strings.HasPrefix(id, "http://"))
}

// registered is a client that registered itself; this is a use of it.
func (d *Directory) registered(ctx context.Context, id string) (*Client, error) {
	stored, err := d.stored(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unknown()
	}
	if err != nil {
		return nil, fmt.Errorf("find client: %w", err)
	}
	if now := d.cfg.Now(); now.Sub(stored.LastUsedAt) >= touchEvery {
		if err := d.cfg.Store.TouchClient(ctx, id, now); err != nil {
			d.cfg.Log.WarnContext(ctx, "the use of a client was not noted", "client_id", id, "error", err)
		}
	}
	return &Client{
		ID:           stored.ID,
		Kind:         store.ClientRegistered,
		Name:         stored.Name,
		URI:          stored.URI,
		RedirectURIs: stored.RedirectURIs,
		AuthMethod:   stored.AuthMethod,
		Secret:       stored.Secret,
		Scope:        stored.Scope,
	}, nil
}

// stored asks the store only for what this server may have given out.
func (d *Directory) stored(ctx context.Context, id string) (store.Client, error) {
	if !strings.HasPrefix(id, idPrefix) || len(id) > maxClientID {
		return store.Client{}, store.ErrNotFound
	}
	return d.cfg.Store.Client(ctx, id)
}

func unknown() *Problem {
	return &Problem{Kind: ErrUnknown, Detail: "This server does not know the application: remove the connection there and add it again."}
}

// clone keeps callers away from what others get as well.
func clone(c Client) *Client {
	c.RedirectURIs = slices.Clone(c.RedirectURIs)
	return &c
}
