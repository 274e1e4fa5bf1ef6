package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// The kinds of flows in the store.
const (
	kindJourney  = "connect"  // by the id in its addresses
	kindAttempt  = "oidc"     // by the state parameter of a sign-in at the provider
	kindPhone    = "phone"    // by the token in the QR code
	kindJourneys = "journeys" // the open journeys of a browser, by its session
)

const (
	// journeyLife is how long a journey lasts from its last step on, and
	// journeyEnd how long from its first.
	journeyLife = 30 * time.Minute
	journeyEnd  = 2 * time.Hour
	// loginLeft is what has to be left of a Login Flow for a person to be sent
	// there; else it is started anew.
	loginLeft = 2 * time.Minute
	// maxStarts is how often Login Flow may be started within a journey.
	maxStarts = 10
)

// journey is one person's way from a request to its answer. It is kept sealed,
// because Login Flow's poll token is in it.
type journey struct {
	ID      string
	Browser store.Hash // the session that it belongs to
	Before  store.Hash // the session that the browser had before it signed in here
	Request *request   `json:",omitempty"` // nil for a sign-in to the account pages
	Back    string     `json:",omitempty"` // where that leads
	Linked  *linked    `json:",omitempty"` // for one that a link began; Request is nil then
	Begun   time.Time
	Step    step

	// While the person signs in.
	Provider bool               `json:",omitempty"` // at the OpenID provider, else by Login Flow
	Afresh   bool               `json:",omitempty"` // the provider has to ask who it is
	Reason   signin.Reason      `json:",omitempty"` // why the provider was not enough
	Vouched  *signin.Person     `json:",omitempty"` // whom the provider named then
	Login    *signin.Flow       `json:",omitempty"`
	Starts   int                `json:",omitempty"` // of Login Flow
	Phone    *phone             `json:",omitempty"`
	Problem  signin.ProblemCode `json:",omitempty"` // how the last try failed; shown once

	// Once the person signed in.
	Person  *signin.Person `json:",omitempty"`
	GrantID string         `json:",omitempty"`
	Pending bool           `json:",omitempty"` // the grant was made here and waits for consent

	version int64
}

// step is how far a journey has come.
type step string

const (
	signingIn  step = "sign-in"
	signedIn   step = "signed in" // the browser does not know yet
	consenting step = "consent"
	answered   step = "answered"
)

// request is an oauth.Request as it is kept.
type request struct {
	ClientID, ClientName, ClientURI string
	ClientKind                      store.ClientKind
	RedirectURI, State              string
	Scopes                          string
	Resource, CodeChallenge         string
}

func keepRequest(r *oauth.Request) *request {
	return &request{
		ClientID: r.Client.ID, ClientName: r.Client.Name, ClientURI: r.Client.URI, ClientKind: r.Client.Kind,
		RedirectURI: r.RedirectURI, State: r.State, Scopes: r.Scopes.String(),
		Resource: r.Resource, CodeChallenge: r.CodeChallenge,
	}
}

func (r *request) oauth() *oauth.Request {
	return &oauth.Request{
		Client:      clients.Client{ID: r.ClientID, Name: r.ClientName, URI: r.ClientURI, Kind: r.ClientKind},
		RedirectURI: r.RedirectURI, State: r.State, Scopes: scope.Parse(r.Scopes),
		Resource: r.Resource, CodeChallenge: r.CodeChallenge,
	}
}

func (j *journey) key() store.Hash { return store.HashOf(j.ID) }

// flow is the journey as the store keeps it.
func (j *journey) flow(now time.Time) (store.Flow, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return store.Flow{}, fmt.Errorf("save journey: %w", err)
	}
	expires := now.Add(journeyLife)
	if end := j.Begun.Add(journeyEnd); end.Before(expires) {
		expires = end
	}
	return store.Flow{Kind: kindJourney, Key: j.key(), Payload: auth.Secret(text), Version: j.version, ExpiresAt: expires}, nil
}

// create keeps a new journey.
func (g *Guide) create(ctx context.Context, j *journey) error {
	f, err := j.flow(g.Now())
	if err != nil {
		return err
	}
	if err := g.Store.PutFlow(ctx, f); err != nil {
		return fmt.Errorf("save journey: %w", err)
	}
	return nil
}

// load is the journey with a key. The error is store.ErrNotFound when it is
// over or never was.
func (g *Guide) load(ctx context.Context, key store.Hash) (*journey, error) {
	f, err := g.Store.Flow(ctx, kindJourney, key)
	if err != nil {
		return nil, fmt.Errorf("read journey: %w", err)
	}
	var j journey
	if err := json.Unmarshal([]byte(f.Payload.Reveal()), &j); err != nil {
		return nil, fmt.Errorf("read journey: %w", err)
	}
	j.version = f.Version
	return &j, nil
}

// errMoved ends a change that no longer fits, because another tab, or another
// process, took the step already.
var errMoved = errors.New("the journey has moved on")

// change applies fn to the journey as it is in the store now, again when
// somebody else changed it meanwhile, and answers what it is then. fn may
// answer errMoved; the journey as it stands comes with that.
func (g *Guide) change(ctx context.Context, key store.Hash, fn func(j *journey) error) (*journey, error) {
	for range 10 {
		j, err := g.load(ctx, key)
		if err != nil {
			return nil, err
		}
		if err := fn(j); err != nil {
			return j, err
		}
		f, err := j.flow(g.Now())
		if err != nil {
			return nil, err
		}
		err = g.Store.UpdateFlow(ctx, f)
		if err == nil {
			j.version++
			return j, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return nil, fmt.Errorf("save journey: %w", err)
		}
	}
	return nil, fmt.Errorf("save journey: %w", store.ErrConflict)
}

// startOver takes a journey back to the sign-in. The grant that it made ends. The
// error is errMoved when the person has answered.
func (g *Guide) startOver(ctx context.Context, key store.Hash, afresh bool) error {
	var abandoned string
	_, err := g.change(ctx, key, func(j *journey) error {
		if j.Step == answered {
			return errMoved
		}
		abandoned = ""
		if j.Pending {
			abandoned = j.GrantID
		}
		j.Step, j.Provider, j.Afresh = signingIn, g.byProvider(j), afresh
		j.Person, j.GrantID, j.Pending = nil, "", false
		j.Reason, j.Vouched, j.Login, j.Problem = "", nil, nil, ""
		return nil
	})
	if err != nil {
		return err
	}
	return g.endPending(ctx, abandoned)
}

// endPending ends a grant that nobody consented to; id may be empty.
func (g *Guide) endPending(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	ended, err := g.Store.EndGrant(ctx, id, store.EndedUnconfirmed)
	if err != nil {
		return fmt.Errorf("end pending grant: %w", err)
	}
	if ended && g.Ended != nil {
		g.Ended(id)
	}
	return nil
}

// byProvider reports whether a journey begins at the OpenID provider. Only there
// can a person prove to be the one that a link is for.
func (g *Guide) byProvider(j *journey) bool { return j.Linked != nil || g.providerFirst() }

// providerFirst reports whether people are sent to the OpenID provider.
func (g *Guide) providerFirst() bool {
	return g.Method != OnlyLoginFlow && g.OIDC != nil && (g.Method == OnlyProvider || g.OIDC.Available())
}
