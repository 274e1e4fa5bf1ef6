package connect

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/store"
)

const (
	// maxJourneys is how many journeys a browser may have open; the oldest go.
	maxJourneys = 20
	// againParam counts how often a page was opened again because the browser
	// still sent the cookie from before its sign-in.
	againParam = "again"
	maxAgain   = 3
	// firstParam marks the first page after a browser got its first cookie.
	firstParam = "first"
)

// travel is what a page of a journey works on: the journey, proven to belong to
// the browser that asks.
type travel struct {
	*journey
	session *browser.Session
}

// Why a browser gets no page of a journey.
var (
	errForeign = errors.New("the journey belongs to another browser")
	errOutdone = errors.New("the browser signed in meanwhile") // in another tab: its new cookie is on the way
)

// mine is the journey that the address names, if it belongs to the browser.
func (g *Guide) mine(r *http.Request) (*travel, error) {
	j, err := g.load(r.Context(), store.HashOf(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	return g.belongs(r, j)
}

// belongs proves that a journey belongs to the browser that asks.
func (g *Guide) belongs(r *http.Request, j *journey) (*travel, error) {
	id, _ := g.Sessions.Presented(r)
	switch {
	case same(id, j.Browser):
	case same(id, j.Before) && j.Before != (store.Hash{}):
		return nil, errOutdone
	default:
		return nil, errForeign
	}
	session, err := g.Sessions.Find(r)
	switch {
	case errors.Is(err, browser.ErrNone):
		return nil, errForeign
	case err != nil:
		return nil, err
	}
	return &travel{j, session}, nil
}

func same(a, b store.Hash) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// stranger answers a browser that mine refused.
func (g *Guide) stranger(w http.ResponseWriter, r *http.Request, err error) {
	query := r.URL.Query()
	_, sent := g.Sessions.Presented(r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		g.refuse(w, r, http.StatusGone, pages.Failure{Code: pages.CodeFlowGone})
	case errors.Is(err, errForeign) && !sent && query.Has(firstParam):
		g.refuse(w, r, http.StatusBadRequest, pages.Failure{Code: pages.CodeCookiesOff})
	case errors.Is(err, errOutdone) && r.Method == http.MethodGet:
		again, _ := strconv.Atoi(query.Get(againParam))
		if again < 0 || again >= maxAgain {
			g.refuse(w, r, http.StatusForbidden, pages.Failure{Code: pages.CodeOtherBrowser})
			return
		}
		goTo(w, g.path("/oauth/connect/", r.PathValue("id"))+"?"+againParam+"="+strconv.Itoa(again+1))
	case errors.Is(err, errForeign), errors.Is(err, errOutdone):
		g.refuse(w, r, http.StatusForbidden, pages.Failure{Code: pages.CodeOtherBrowser})
	default:
		g.trouble(w, r, nil, err)
	}
}

// journeys are the open journeys of a browser, oldest first, and the version of
// the list: zero when there is none.
func (g *Guide) journeys(ctx context.Context, session store.Hash) ([]store.Hash, int64, error) {
	f, err := g.Store.Flow(ctx, kindJourneys, session)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("read journeys: %w", err)
	}
	var keys []store.Hash
	if err := json.Unmarshal([]byte(f.Payload.Reveal()), &keys); err != nil {
		return nil, 0, fmt.Errorf("read journeys: %w", err)
	}
	return keys, f.Version, nil
}

func (g *Guide) keepJourneys(ctx context.Context, session store.Hash, keys []store.Hash, version int64) error {
	text, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("save journeys: %w", err)
	}
	f := store.Flow{
		Kind: kindJourneys, Key: session, Payload: auth.Secret(text), Version: version, ExpiresAt: g.Now().Add(browser.SignedInLife),
	}
	if version == 0 {
		err = g.Store.PutFlow(ctx, f)
	} else {
		err = g.Store.UpdateFlow(ctx, f)
	}
	if err != nil {
		return fmt.Errorf("save journeys: %w", err)
	}
	return nil
}

// remember adds a journey to those of its browser. The oldest ones are dropped
// when they are too many, so that no browser fills the store.
func (g *Guide) remember(ctx context.Context, j *journey) error {
	for range 10 {
		keys, version, err := g.journeys(ctx, j.Browser)
		if err != nil {
			return err
		}
		keys = append(keys, j.key())
		dropped := keys[:max(len(keys)-maxJourneys, 0)]
		err = g.keepJourneys(ctx, j.Browser, keys[len(dropped):], version)
		if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, key := range dropped {
			if err := g.drop(ctx, key); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("save journeys: %w", store.ErrConflict)
}

// drop forgets a journey and ends the grant that waits in it.
func (g *Guide) drop(ctx context.Context, key store.Hash) error {
	f, err := g.Store.TakeFlow(ctx, kindJourney, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("drop journey: %w", err)
	}
	var j journey
	if err := json.Unmarshal([]byte(f.Payload.Reveal()), &j); err != nil {
		return fmt.Errorf("drop journey: %w", err)
	}
	if !j.Pending || j.Step == answered {
		return nil
	}
	return g.endPending(ctx, j.GrantID)
}

// moveAll takes all journeys of a browser to its new session. One that was
// moved already, or is over, does not matter.
func (g *Guide) moveAll(ctx context.Context, from, to store.Hash) error {
	keys, _, err := g.journeys(ctx, from)
	if err != nil {
		return err
	}
	if err := g.keepJourneys(ctx, to, keys, 0); err != nil {
		return err
	}
	for _, key := range keys {
		_, err := g.change(ctx, key, func(j *journey) error {
			if !same(j.Browser, from) {
				return errMoved
			}
			j.Before, j.Browser = from, to
			return nil
		})
		if err != nil && !errors.Is(err, errMoved) && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if _, err := g.Store.TakeFlow(ctx, kindJourneys, from); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("move journeys: %w", err)
	}
	return nil
}
