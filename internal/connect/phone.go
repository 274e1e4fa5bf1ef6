package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// phone is the way of another device into a journey's Login Flow, and nowhere
// else.
type phone struct {
	Token string    // in the QR code
	Code  string    // shown on both devices
	Until time.Time // when Token ends
}

// withPhone is the journey with a token for a phone that has not ended.
func (g *Guide) withPhone(ctx context.Context, j *journey) (*journey, error) {
	if j.Phone != nil && g.Now().Before(j.Phone.Until) {
		return j, nil
	}
	fresh := &phone{Token: random(), Code: rand.Text()[:6], Until: g.Now().Add(signin.FlowLife)}
	key := j.key()
	err := g.Store.PutFlow(ctx, store.Flow{
		Kind: kindPhone, Key: store.HashOf(fresh.Token), Payload: auth.Secret(key[:]), ExpiresAt: fresh.Until,
	})
	if err != nil {
		return nil, err
	}
	now, err := g.change(ctx, key, func(j *journey) error {
		if j.Phone != nil && g.Now().Before(j.Phone.Until) {
			return errMoved // another tab made one
		}
		j.Phone = fresh
		return nil
	})
	if errors.Is(err, errMoved) {
		err = nil
	}
	return now, err
}

// onPhone is the journey that the token in the address leads to. It has answered
// when that is nil.
func (g *Guide) onPhone(w http.ResponseWriter, r *http.Request) *journey {
	f, err := g.Store.Flow(r.Context(), kindPhone, store.HashOf(r.PathValue("token")))
	if err == nil {
		var j *journey
		var key store.Hash
		copy(key[:], f.Payload.Reveal())
		j, err = g.load(r.Context(), key)
		if err == nil && j.Step == signingIn && !j.Provider {
			return j
		}
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		g.refuse(w, r, http.StatusGone, pages.Failure{Code: pages.CodeFlowGone})
		return nil
	}
	g.trouble(w, r, nil, err)
	return nil
}

// phone is GET /oauth/phone/{token}: it asks whether the sign-in is the
// person's own. The phone gets no cookie, and the journey stays with the
// browser that began it.
func (g *Guide) phone(w http.ResponseWriter, r *http.Request) {
	j := g.onPhone(w, r)
	if j == nil {
		return
	}
	page := pages.Phone{
		Server: g.Public.Host, Nextcloud: g.Nextcloud, Code: j.Phone.Code,
		ContinueURL: g.path("/oauth/phone/", r.PathValue("token"), "/open"),
	}
	switch {
	case j.Linked != nil:
		page.Client = j.Linked.view()
	case j.Request != nil:
		page.Client = clientView(j.Request.oauth())
	}
	g.Pages.Write(w, r, http.StatusOK, page)
}

// phoneOpen is GET /oauth/phone/{token}/open: to Nextcloud's login.
func (g *Guide) phoneOpen(w http.ResponseWriter, r *http.Request) {
	if j := g.onPhone(w, r); j != nil {
		g.toNextcloud(w, r, j, nil)
	}
}
