package bearer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"nextcloud-mcp-server/internal/auth"
)

// denyPause is how long refused client credentials are not sent again: an
// issuer counts such tries against the whole address.
const denyPause = time.Minute

// introspection is the answer of RFC 7662, 2.2.
type introspection struct {
	claims
	Active    bool   `json:"active"`
	Login     string `json:"username"`
	TokenType string `json:"token_type"`
	Error     string `json:"error"` // RFC 6749, 5.2
}

// introspect asks the issuer about a token (RFC 7662).
func (v *Verifier) introspect(ctx context.Context, token string) (*proof, error) {
	id, secret, err := v.client(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, unavailable(NoClient, defaultWait, nil)
	}
	credentials := sha256.Sum256([]byte(id + "\x00" + secret.Reveal()))
	if wait := v.deniedFor(credentials, time.Now()); wait > 0 {
		return nil, unavailable(InvalidClient, wait, errors.New("not asked again"))
	}
	r, err := v.introspectionRequest(ctx, token, id, secret)
	if err != nil {
		return nil, unavailable(NetworkError, defaultWait, err)
	}
	now := time.Now() // before the answer, so that it is not believed too long
	a, err := v.question(r)
	if err != nil {
		return nil, err
	}
	var in introspection
	parsed := json.Unmarshal(a.body, &in) == nil
	switch {
	case a.status == http.StatusUnauthorized, a.status >= 400 && parsed && in.Error == "invalid_client":
		v.clientDenied(ctx, id, credentials, now)
		return nil, unavailable(InvalidClient, defaultWait, fmt.Errorf("introspection: status %d", a.status))
	case a.status != http.StatusOK:
		return nil, unavailable(NetworkError, defaultWait, fmt.Errorf("introspection: status %d", a.status))
	case !parsed:
		return nil, unavailable(NetworkError, defaultWait, errors.New("introspection: answer is not as RFC 7662 says"))
	}
	return v.proveActive(ctx, &in, now)
}

// proveActive judges an introspection answer.
func (v *Verifier) proveActive(ctx context.Context, in *introspection, now time.Time) (*proof, error) {
	if !in.Active {
		return nil, refuse(Inactive, nil)
	}
	switch strings.ToLower(in.TokenType) {
	case "", "bearer", "access_token":
	default:
		return nil, refuse(WrongType, fmt.Errorf("token type %.20q", in.TokenType))
	}
	// The issuer keeps ID tokens apart from what it calls active, so its answer
	// needs no mark of an access token; it must only not say otherwise.
	if !in.accessToken(true) {
		return nil, refuse(WrongType, nil)
	}
	if in.Issuer != "" && in.Issuer != v.cfg.Issuer {
		return nil, refuse(BadIssuer, fmt.Errorf("issuer is %.200q, want %q", in.Issuer, v.cfg.Issuer))
	}
	if err := in.checkTimes(now); err != nil {
		return nil, err
	}
	if !v.cfg.TrustIntrospection {
		if err := v.checkAudience(ctx, &in.claims); err != nil {
			return nil, err
		}
	}
	name := in.Username
	if name == "" {
		name = in.Login
	}
	return v.proofOf(&in.claims, name, now, activeKept)
}

func (v *Verifier) introspectionRequest(ctx context.Context, token, id string, secret auth.Secret) (*http.Request, error) {
	form := url.Values{"token": {token}}
	if v.cfg.AuthMethod == AuthPost {
		form.Set("client_id", id)
		form.Set("client_secret", secret.Reveal())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.cfg.IntrospectionURI, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if v.cfg.AuthMethod != AuthPost {
		// RFC 6749, 2.3.1: both are form-encoded first.
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret.Reveal()))
	}
	return r, nil
}

// question asks the issuer something about a token: few at a time, and not
// while it wants to be left alone.
func (v *Verifier) question(r *http.Request) (*answer, error) {
	ctx := r.Context()
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return nil, unavailable(NetworkError, defaultWait, ctx.Err())
	}
	if wait := v.pausedFor(time.Now()); wait > 0 {
		return nil, unavailable(NetworkError, wait, errors.New("the issuer asked to wait"))
	}
	a, err := ask(v.http, r, maxAnswer)
	if err != nil {
		return nil, unavailable(NetworkError, defaultWait, err)
	}
	if a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError {
		now := time.Now()
		wait := a.wait(now)
		if wait > 0 {
			v.pauseUntil(now.Add(wait))
		}
		return nil, unavailable(NetworkError, max(wait, defaultWait), fmt.Errorf("status %d", a.status))
	}
	return a, nil
}

func (v *Verifier) pausedFor(now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pause.Sub(now)
}

func (v *Verifier) pauseUntil(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t.After(v.pause) {
		v.pause = t
	}
}

func (v *Verifier) deniedFor(credentials [sha256.Size]byte, now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if credentials != v.denied {
		return 0
	}
	return v.deny.Sub(now)
}

// clientDenied remembers that the issuer refused the credentials, and says so
// once.
func (v *Verifier) clientDenied(ctx context.Context, id string, credentials [sha256.Size]byte, now time.Time) {
	v.mu.Lock()
	known := credentials == v.denied && now.Before(v.deny)
	v.denied, v.deny = credentials, now.Add(denyPause)
	v.mu.Unlock()
	if !known && v.cfg.OnInvalidClient != nil {
		v.cfg.OnInvalidClient(ctx, id)
	}
}
