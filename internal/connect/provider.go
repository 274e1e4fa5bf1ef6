package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// attempt is a sign-in at the provider as it is kept, sealed.
type attempt struct {
	Journey store.Hash
	Attempt *signin.Attempt
}

// viaProvider is GET /oauth/connect/{id}/oidc: the way from Login Flow to the
// provider.
func (g *Guide) viaProvider(w http.ResponseWriter, r *http.Request) {
	t, err := g.mine(r)
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	if t.Step != signingIn || !g.offersProvider(t.journey) {
		goTo(w, g.path("/oauth/connect/", t.ID))
		return
	}
	if g.limited(w, r) {
		return
	}
	g.toProvider(w, r, t.journey)
}

// offersProvider reports whether a journey that goes by Login Flow may go to
// the provider instead: not when the provider was not enough before.
func (g *Guide) offersProvider(j *journey) bool {
	return g.providerFirst() && j.Reason == ""
}

// toProvider sends the browser to the provider.
func (g *Guide) toProvider(w http.ResponseWriter, r *http.Request, j *journey) {
	address, err := g.startProvider(r.Context(), j)
	if err != nil {
		g.providerFailed(w, r, j, err)
		return
	}
	goTo(w, address)
}

// startProvider begins a sign-in at the provider and answers where.
func (g *Guide) startProvider(ctx context.Context, j *journey) (string, error) {
	a, err := g.OIDC.Start(ctx, g.device(j), &signin.StartOptions{NoCredential: j.Request == nil, Again: j.Afresh})
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(attempt{Journey: j.key(), Attempt: a})
	if err != nil {
		return "", fmt.Errorf("save sign-in: %w", err)
	}
	return a.URL, g.Store.PutFlow(ctx, store.Flow{
		Kind: kindAttempt, Key: store.HashOf(a.State), Payload: auth.Secret(text), ExpiresAt: g.Now().Add(signin.AttemptLife),
	})
}

// providerFailed shows a problem with the provider. One that the person cannot
// mend leads to Login Flow with the next try, where people may choose.
func (g *Guide) providerFailed(w http.ResponseWriter, r *http.Request, j *journey, err error) {
	p, ok := errors.AsType[*signin.Problem](err)
	if ok && g.Method == Auto && j.Linked == nil && p.Code != signin.Refused && p.Code != signin.FlowExpired {
		j, err = g.change(r.Context(), j.key(), func(j *journey) error {
			j.Provider = false
			return nil
		})
		if err != nil {
			g.trouble(w, r, nil, err)
			return
		}
		err = p
	}
	g.trouble(w, r, j, err)
}

// callback is GET /oauth/callback: the provider's answer.
func (g *Guide) callback(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	query := r.URL.Query()
	f, err := g.Store.TakeFlow(ctx, kindAttempt, store.HashOf(query.Get("state")))
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	var kept attempt
	if err := json.Unmarshal([]byte(f.Payload.Reveal()), &kept); err != nil || kept.Attempt == nil {
		g.trouble(w, r, nil, fmt.Errorf("read sign-in: %w", err))
		return
	}
	j, err := g.load(ctx, kept.Journey)
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	page := g.path("/oauth/connect/", j.ID)
	t, err := g.belongs(r, j)
	switch {
	case errors.Is(err, errOutdone): // signed in meanwhile, in another tab
		goTo(w, page)
		return
	case errors.Is(err, errForeign):
		g.notThisBrowser(w, r)
		return
	case err != nil:
		g.stranger(w, r, err)
		return
	}
	if t.Step != signingIn {
		goTo(w, page)
		return
	}
	outcome, err := g.OIDC.Finish(ctx, kept.Attempt, query)
	switch {
	case err != nil:
		g.providerFailed(w, r, j, err)
	case j.Linked != nil:
		g.provenForLink(w, r, j, outcome)
	case outcome.LoginFlow != "":
		g.goOnWithLoginFlow(w, r, j, outcome)
	default:
		g.arrived(w, r, t, outcome)
	}
}

// notThisBrowser refuses a callback. A browser without any cookie gets the
// likelier reason told.
func (g *Guide) notThisBrowser(w http.ResponseWriter, r *http.Request) {
	if _, sent := g.Sessions.Presented(r); !sent {
		g.refuse(w, r, http.StatusBadRequest, pages.Failure{Code: pages.CodeCookiesOff})
		return
	}
	g.refuse(w, r, http.StatusForbidden, pages.Failure{Code: pages.CodeOtherBrowser})
}

// goOnWithLoginFlow is for people whom the provider vouched for and Nextcloud
// gives no lasting credential for that.
func (g *Guide) goOnWithLoginFlow(w http.ResponseWriter, r *http.Request, j *journey, o *signin.Outcome) {
	_, err := g.change(r.Context(), j.key(), func(j *journey) error {
		if j.Step != signingIn {
			return errMoved
		}
		j.Provider, j.Reason, j.Vouched = false, o.LoginFlow, &o.Person
		return nil
	})
	if err != nil && !errors.Is(err, errMoved) {
		g.trouble(w, r, j, err)
		return
	}
	goTo(w, g.path("/oauth/connect/", j.ID))
}

// arrived keeps what a sign-in in this very request came to, and shows the
// browser the next page.
func (g *Guide) arrived(w http.ResponseWriter, r *http.Request, t *travel, o *signin.Outcome) {
	j, err := g.arrive(r.Context(), t.journey, o)
	if err != nil {
		g.trouble(w, r, t.journey, err)
		return
	}
	t.journey = j
	if j.Step == signedIn && !g.settle(w, r, t) {
		return
	}
	goTo(w, g.path("/oauth/connect/", j.ID))
}

// device is the name of an app password in the person's security settings.
func (g *Guide) device(j *journey) string {
	client := ""
	switch {
	case j.Linked != nil:
		client = j.Linked.device()
	case j.Request != nil:
		client = j.Request.ClientName
	}
	return signin.DeviceName(client, g.Public.Host)
}
