// Package basic proves people by their own Nextcloud login name and password,
// sent with each request (RFC 7617). It is apart from the bearer checks because
// its hard part is another one: Nextcloud itself has to be asked, and it counts
// refused logins per address. All people share the address of this server, so
// one person's wrong password must never lock out everybody.
package basic

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

const (
	// kept is how long an answer of Nextcloud is believed, good or bad. Using
	// it does not make it last longer.
	kept = 5 * time.Minute
	// maxRefusedKept is the same for credentials that were refused again and
	// again: a client that has them stored does not give up by itself, and a
	// few such clients would use up what all share.
	maxRefusedKept = 30 * time.Minute
	// provenKept is how long it is remembered that credentials were good once.
	provenKept = 24 * time.Hour
	// maxKept bounds what is remembered, in credentials.
	maxKept = 10_000
	// checkTimeout is longer than Nextcloud delays the answer to a bad login.
	checkTimeout = 45 * time.Second
	// waitTimeout bounds the wait for a check of other credentials.
	waitTimeout = 30 * time.Second
)

// Verifier proves credentials by asking Nextcloud. It is safe for concurrent
// use.
type Verifier struct {
	host   *nextcloud.Host
	issuer string
	log    *slog.Logger
	now    func() time.Time
	key    [32]byte // of this process, for digest

	mu       sync.Mutex // guards the fields below
	known    *simplelru.LRU[digest, known]
	refused  *simplelru.LRU[digest, refusal]
	proven   *simplelru.LRU[digest, time.Time] // until when
	checking map[digest]*check
	ended    chan struct{} // closed with the next end of a check
	guard    *guard
	pause    time.Time // Nextcloud asked not to come before
}

// Options are the optional parts of a Verifier; nil means all defaults.
type Options struct {
	Now func() time.Time // the clock; default time.Now
}

// check is a question to Nextcloud under way.
type check struct {
	done      chan struct{} // closed when the fields below are set
	principal *auth.Principal
	err       error
}

// New is a verifier of the credentials of host.
func New(host *nextcloud.Host, log *slog.Logger, opts *Options) *Verifier {
	v := &Verifier{
		host: host, issuer: host.Base().String(), log: log, now: time.Now,
		checking: map[digest]*check{}, ended: make(chan struct{}), guard: newGuard(),
	}
	if opts != nil && opts.Now != nil {
		v.now = opts.Now
	}
	_, _ = rand.Read(v.key[:]) // never fails
	// An error says only that the size is no size.
	v.known, _ = simplelru.NewLRU[digest, known](maxKept, nil)
	v.refused, _ = simplelru.NewLRU[digest, refusal](maxKept, nil)
	v.proven, _ = simplelru.NewLRU[digest, time.Time](maxKept, nil)
	return v
}

// Prove answers who the credentials belong to. client is the address that they
// came from; the zero address counts as one. Errors are *auth.Error: 401 when
// Nextcloud refuses them, 429 when they are not sent to it because too many
// were refused lately, 503 when it cannot be asked.
func (v *Verifier) Prove(ctx context.Context, loginName string, password auth.Secret, client netip.Addr) (*auth.Principal, error) {
	if loginName == "" || password == "" {
		return nil, errRefused
	}
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	hash := v.digest(loginName, password)
	for {
		c, turn, err := v.begin(ctx, hash, attempt{loginName, password, client})
		switch {
		case err != nil:
			return nil, err
		case c != nil:
			select {
			case <-c.done:
				return c.principal, c.err
			case <-ctx.Done():
				return nil, errBusy
			}
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, errBusy
		}
	}
}

// attempt is one use of credentials that nothing is known of.
type attempt struct {
	loginName string
	password  auth.Secret
	client    netip.Addr
}

// begin answers what is known of the credentials, as a check that has ended,
// or the check of them that is under way or begins now. When there is neither,
// another check has to end first, which turn tells.
func (v *Verifier) begin(ctx context.Context, hash digest, a attempt) (c *check, turn <-chan struct{}, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	v.forgetOld(now)
	if k, ok := v.known.Peek(hash); ok {
		return k.check, nil, nil
	}
	if before, ok := v.refused.Peek(hash); ok && now.Before(before.until) {
		return nil, nil, errRefused
	}
	if c, ok := v.checking[hash]; ok {
		return c, nil, nil
	}
	if wait := v.pause.Sub(now); wait > 0 {
		return nil, nil, tooMany(wait)
	}
	places := v.guard.places(a.loginName, a.client, v.proven.Contains(hash), now)
	free, wait := places.free(now)
	switch {
	case wait > 0:
		v.log.DebugContext(ctx, "Credentials were not sent to Nextcloud, because too many were refused lately", "client", a.client.String())
		return nil, nil, tooMany(wait)
	case !free:
		return nil, v.ended, nil
	}
	places.enter()
	c = &check{done: make(chan struct{})}
	v.checking[hash] = c
	// Not the caller's context: Nextcloud counts a refusal whether or not
	// somebody waits for it.
	go v.check(context.WithoutCancel(ctx), hash, a, places, c)
	return c, nil, nil
}

// check asks Nextcloud and remembers its answer.
func (v *Verifier) check(ctx context.Context, hash digest, a attempt, places places, c *check) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	nc := nextcloud.New(v.host, nextcloud.Basic{LoginName: nextcloud.LoginName(a.loginName), Password: a.password}, nil)
	user, err := nc.CurrentUser(ctx)

	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	var e *nextcloud.Error
	refused := errors.Is(err, nextcloud.ErrUnauthenticated) || errors.Is(err, nextcloud.ErrForbidden)
	switch {
	case err == nil:
		c.principal = &auth.Principal{
			Issuer: v.issuer, Subject: auth.Subject(user.ID), Name: user.DisplayName, LoginName: a.loginName,
			Token: a.password, Trusted: true,
		}
		add(v.known, hash, known{c, now.Add(kept)})
		add(v.proven, hash, now.Add(provenKept))
		v.refused.Remove(hash)
	case refused:
		c.err = errRefused
		v.noteRefusal(hash, now)
		v.log.InfoContext(ctx, "Nextcloud refused credentials", "client", a.client.String())
	case errors.Is(err, nextcloud.ErrRateLimited):
		wait := time.Minute
		if errors.As(err, &e) && e.RetryAfter > 0 {
			wait = min(e.RetryAfter, window)
		}
		v.pause, c.err = now.Add(wait), tooMany(wait)
		v.log.WarnContext(ctx, "Nextcloud throttles logins from this server; only credentials proved lately are taken", "seconds", int(wait/time.Second))
	default:
		c.err = unavailable(err)
		v.log.DebugContext(ctx, "Credentials could not be checked at Nextcloud", "error", err)
	}
	places.leave(refused, now)
	delete(v.checking, hash)
	close(c.done)
	close(v.ended)
	v.ended = make(chan struct{})
}

// Forget takes note that Nextcloud refused, in the middle of a call, the
// credentials that proved p. They have to be proved anew, not before a while.
func (v *Verifier) Forget(p *auth.Principal) {
	hash := v.digest(p.LoginName, p.Token)
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.known.Remove(hash) {
		return // several calls at once
	}
	now := v.now()
	v.noteRefusal(hash, now)
	v.guard.all.note(now)
}
