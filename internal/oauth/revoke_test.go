package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

func (r *rig) revoke(t *testing.T, token, clientID, hint string) {
	t.Helper()
	form := url.Values{"token": {token}, "client_id": {clientID}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	if w := r.post("/oauth/revoke", form); w.Code != http.StatusOK || w.Body.Len() > 0 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("revoke: status %d, %s", w.Code, w.Body)
	}
}

func TestRevokedAccessTokenEndsAlone(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	r.revoke(t, a.AccessToken, app, "refresh_token") // a wrong hint changes nothing
	if r.lives(t, a.AccessToken) {
		t.Error("it lives")
	}
	if next := r.token(t, refresh(a.RefreshToken, app)); next.status != 200 {
		t.Errorf("the refresh token ended too: %+v", next)
	}
}

func TestRevokedRefreshTokenEndsEverythingOfItsLine(t *testing.T) {
	r := newRig(t)
	g, laptop := r.signIn(t, "alice")
	phone := r.token(t, redeem(r.approve(t, g, wellFormed()).Get("code"), app))
	next := r.token(t, refresh(laptop.RefreshToken, app))
	r.revoke(t, next.RefreshToken, app, "")
	if r.lives(t, laptop.AccessToken) || r.lives(t, next.AccessToken) {
		t.Error("an access token of the line lives")
	}
	if a := r.token(t, refresh(next.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Errorf("the refresh token lives: %+v", a)
	}
	if !r.lives(t, phone.AccessToken) || len(r.ended) > 0 {
		t.Fatalf("the other line ended too, or the grant did: %v", r.ended)
	}

	r.revoke(t, phone.RefreshToken, app, "")
	if r.lives(t, phone.AccessToken) || !cmp.Equal(r.ended, []string{g.ID}) {
		t.Errorf("ended grants %v", r.ended)
	}
	if _, err := r.store.Grant(t.Context(), g.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the grant is still there: %v", err)
	}
	if due, err := r.store.DueRevocations(t.Context(), 10); err != nil || len(due) != 1 {
		t.Errorf("the app password is not to be revoked: %v %v", due, err)
	}
}

func TestRevocationOfWhatIsNotTheirs(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	for _, token := range []string{"x", "ncmcp_at_", "ncmcp_ac_x", a.AccessToken[:len(a.AccessToken)-1] + "~", "ncmcp_rt_" + a.RefreshToken[20:]} {
		r.revoke(t, token, app, "")
	}
	r.revoke(t, a.AccessToken, other, "")
	r.revoke(t, a.RefreshToken, other, "")
	if !r.lives(t, a.AccessToken) || len(r.ended) > 0 {
		t.Error("somebody else's request ended it")
	}
	if next := r.token(t, refresh(a.RefreshToken, app)); next.status != 200 {
		t.Errorf("somebody else's request ended it: %+v", next)
	}
	if w := r.post("/oauth/revoke", url.Values{"client_id": {app}}); w.Code != 400 {
		t.Errorf("no token: status %d", w.Code)
	}
	if w := r.post("/oauth/revoke", url.Values{"client_id": {"nobody"}, "token": {a.AccessToken}}); w.Code != 400 || !r.lives(t, a.AccessToken) {
		t.Errorf("unknown client: status %d", w.Code)
	}
}

func TestRefusedBearerTokens(t *testing.T) {
	r := newRig(t)
	g, a := r.signIn(t, "alice")
	var refused *auth.Error
	for _, token := range []string{"", "x", "ncmcp_at_", a.RefreshToken, a.AccessToken + "x", a.AccessToken[:len(a.AccessToken)-1]} {
		if _, err := r.Verify(t.Context(), token); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized || refused.Code != auth.CodeInvalidToken {
			t.Errorf("%d characters: %v", len(token), err)
		}
	}
	r.forward(time.Hour + time.Second)
	if r.lives(t, a.AccessToken) {
		t.Error("lives longer than an hour")
	}
	a = r.token(t, refresh(a.RefreshToken, app))
	if _, err := r.store.EndGrant(t.Context(), g.ID, store.EndedByPerson); err != nil {
		t.Fatal(err)
	}
	if r.lives(t, a.AccessToken) {
		t.Error("outlives its grant")
	}
	_ = r.store.Close()
	if _, err := r.Verify(t.Context(), a.AccessToken); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.RetryAfter != 5*time.Second {
		t.Errorf("without store: %v", err)
	}
}

func TestLastUseIsNotedSeldom(t *testing.T) {
	r := newRig(t)
	g, a := r.signIn(t, "alice")
	used := func() time.Time {
		t.Helper()
		if !r.lives(t, a.AccessToken) {
			t.Fatal("refused")
		}
		r.Close()
		got, err := r.store.Grant(t.Context(), g.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.LastUsedAt
	}
	first := used()
	if d := r.now().Sub(first); d < 0 || d > time.Minute {
		t.Fatalf("first use noted as %v", first)
	}
	r.forward(4 * time.Minute)
	if again := used(); !again.Equal(first) {
		t.Errorf("noted again after 4 minutes")
	}
	r.forward(2 * time.Minute)
	if later := used(); !later.After(first) {
		t.Errorf("not noted after 6 minutes")
	}
}
