package browser

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

// How long sessions live.
const (
	// SignedInLife is how long a browser stays signed in, used or not.
	SignedInLife = 12 * time.Hour
	// AnonymousLife is how long a browser in which nobody signed in is known.
	AnonymousLife = 3 * time.Hour
	// minLeft is what Ensure wants to be left of a session, so that it does not
	// end in the middle of a sign-in.
	minLeft = time.Hour
)

// ErrNone says that the browser has no session, or none any more.
var ErrNone = errors.New("no browser session")

// Store keeps the sessions; *store.Store is one.
type Store interface {
	PutBrowserSession(ctx context.Context, s store.BrowserSession) error
	BrowserSession(ctx context.Context, id store.Hash) (store.BrowserSession, error)
	DeleteBrowserSession(ctx context.Context, id store.Hash) error
}

// Sessions are the sessions of all browsers. It is safe for concurrent use.
type Sessions struct {
	store  Store
	cookie cookie
	now    func() time.Time
}

// Options change the defaults of New.
type Options struct {
	// Secure says that people reach this server by https. The cookie then
	// carries the __Host- prefix, so that no other host can plant it.
	Secure bool
	Now    func() time.Time // default time.Now
}

// New is the sessions that are kept in s.
func New(s Store, opts *Options) *Sessions {
	if opts == nil {
		opts = &Options{}
	}
	out := &Sessions{store: s, cookie: cookie{name: plainName}, now: opts.Now}
	if opts.Secure {
		out.cookie = cookie{name: secureName, secure: true}
	}
	if out.now == nil {
		out.now = time.Now
	}
	return out
}

// Session is one browser, and who signed in there: UserID is empty for nobody.
type Session struct {
	store.BrowserSession
	secret auth.Secret // the cookie's value
}

// SignedIn reports whether somebody signed in.
func (s *Session) SignedIn() bool { return s.UserID != "" }

// CSRF is the token that forms for one purpose carry back. Only pages shown to
// this browser hold it, and it ends with the cookie.
func (s *Session) CSRF(purpose string) string {
	mac := hmac.New(sha256.New, []byte(s.secret.Reveal()))
	_, _ = mac.Write([]byte(purpose)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CheckCSRF reports whether token is the one for purpose, in constant time.
func (s *Session) CheckCSRF(purpose, token string) bool {
	return hmac.Equal([]byte(s.CSRF(purpose)), []byte(token))
}

// Presented is the id of the session that the browser's cookie stands for, live
// or not; ok is false for a browser that sent none.
func (b *Sessions) Presented(r *http.Request) (id store.Hash, ok bool) {
	secret, ok := b.cookie.read(r)
	if !ok {
		return store.Hash{}, false
	}
	return store.HashOf(secret.Reveal()), true
}

// Find is the session of the browser that sent r. It answers ErrNone where
// there is none, and an error of the store else.
func (b *Sessions) Find(r *http.Request) (*Session, error) {
	secret, ok := b.cookie.read(r)
	if !ok {
		return nil, ErrNone
	}
	found, err := b.store.BrowserSession(r.Context(), store.HashOf(secret.Reveal()))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, ErrNone
	case err != nil:
		return nil, fmt.Errorf("find browser session: %w", err)
	case !b.now().Before(found.ExpiresAt):
		return nil, ErrNone
	}
	return &Session{BrowserSession: found, secret: secret}, nil
}

// Ensure is the session of the browser, which gets one when it has none. One
// that would end within the hour lasts longer, but whoever signed in there has
// to sign in again.
func (b *Sessions) Ensure(w http.ResponseWriter, r *http.Request) (*Session, error) {
	found, err := b.Find(r)
	switch {
	case errors.Is(err, ErrNone):
		fresh, err := b.Open(r.Context(), store.BrowserSession{})
		if err != nil {
			return nil, err
		}
		return fresh, b.Replace(r.Context(), w, nil, fresh)
	case err != nil:
		return nil, err
	case found.ExpiresAt.Sub(b.now()) >= minLeft:
		return found, nil
	}
	found.BrowserSession = store.BrowserSession{ID: found.ID, CreatedAt: found.CreatedAt, ExpiresAt: b.now().Add(AnonymousLife)}
	if err := b.store.PutBrowserSession(r.Context(), found.BrowserSession); err != nil {
		return nil, fmt.Errorf("prolong browser session: %w", err)
	}
	return found, nil
}

// Open makes a session for who, of which UserID, DisplayName and Issuer count;
// no UserID means that nobody signed in. No browser has it before Replace.
func (b *Sessions) Open(ctx context.Context, who store.BrowserSession) (*Session, error) {
	var value [cookieBytes]byte
	_, _ = rand.Read(value[:]) // never fails
	secret := auth.Secret(base64.RawURLEncoding.EncodeToString(value[:]))
	who.ID = store.HashOf(secret.Reveal())
	who.CreatedAt = b.now()
	who.ExpiresAt = who.CreatedAt.Add(AnonymousLife)
	if who.UserID != "" {
		who.ExpiresAt = who.CreatedAt.Add(SignedInLife)
	}
	if err := b.store.PutBrowserSession(ctx, who); err != nil {
		return nil, fmt.Errorf("open browser session: %w", err)
	}
	return &Session{BrowserSession: who, secret: secret}, nil
}

// Replace gives the browser the cookie of next and ends old, which may be nil.
// Whoever else knew the old cookie is left with nothing (session fixation).
func (b *Sessions) Replace(ctx context.Context, w http.ResponseWriter, old, next *Session) error {
	b.cookie.write(w, next.secret)
	if old == nil {
		return nil
	}
	return b.Drop(ctx, old)
}

// Drop ends a session and leaves the browser's cookie alone.
func (b *Sessions) Drop(ctx context.Context, s *Session) error {
	if err := b.store.DeleteBrowserSession(ctx, s.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("end browser session: %w", err)
	}
	return nil
}

// End ends a session and takes the browser's cookie away.
func (b *Sessions) End(ctx context.Context, w http.ResponseWriter, s *Session) error {
	b.cookie.remove(w)
	return b.Drop(ctx, s)
}
