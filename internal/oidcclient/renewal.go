package oidcclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"nextcloud-mcp-server/internal/store"
)

const (
	// maxMargin is how long before its end a client is replaced at the
	// earliest. A sign-in that began with the old client has that long to end.
	maxMargin = 15 * time.Minute

	// checkEvery is how often the store is read without another reason: other
	// processes change it, too.
	checkEvery = 5 * time.Minute

	// forgetAfter is how long a retired client that never expires is tried to
	// be taken away from a provider that does not answer.
	forgetAfter = 7 * 24 * time.Hour

	// A refused client must have lived this long to be replaced at once. The
	// span doubles with each one, up to the maximum, and begins anew with one
	// that lived twice the maximum.
	minPatience = time.Minute
	maxPatience = time.Hour
)

// renewal is when to replace row: a quarter of its life before its end, at
// most maxMargin and a random fifth of that, so that several processes do not
// do it together. The zero time means never.
//
// Nextcloud: there is no prolonging a client. It is deleted client_expire_time
// after it was issued, so "to renew" is to register another one.
func renewal(row store.OAuthClient) time.Time {
	if row.SecretExpiresAt.IsZero() {
		return time.Time{}
	}
	begin := row.IssuedAt
	if begin.IsZero() {
		begin = row.CreatedAt
	}
	life := row.SecretExpiresAt.Sub(begin)
	margin := min(max(life, 0)/4, maxMargin)
	return row.SecretExpiresAt.Add(-margin - rand.N(margin/5+1)) //nolint:gosec // jitter needs no secrecy
}

// Run gets credentials and keeps them alive until ctx ends. At its end nothing
// is deleted: the next start uses what is stored.
func (r *Registrar) Run(ctx context.Context) {
	var backoff Backoff
	for ctx.Err() == nil {
		wait, err := r.tend(ctx)
		if err != nil && ctx.Err() == nil {
			wait = backoff.Next()
			if re, ok := errors.AsType[*RegistrationError](err); ok {
				wait = max(wait, re.RetryAfter)
			}
			r.log.Log(ctx, r.level(err.Error()), err.Error(), "retry_in", wait.Round(time.Millisecond))
		} else {
			backoff.Reset()
			r.trouble.Store(nil)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.wake:
		}
		timer.Stop()
	}
}

// level is how loud to say why there is no client: the same reason is news once,
// and may last for ever where people sign in without the provider.
func (r *Registrar) level(reason string) slog.Level {
	if last := r.trouble.Swap(&reason); last != nil && *last == reason {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// lock takes the right to talk to the provider.
func (r *Registrar) lock(ctx context.Context) error {
	select {
	case r.work <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Registrar) unlock() { <-r.work }

// tend does what is due, and answers how long there is nothing more to do.
func (r *Registrar) tend(ctx context.Context) (time.Duration, error) {
	if err := r.lock(ctx); err != nil {
		return 0, err
	}
	defer r.unlock()
	defer r.forgetWake() // what it told is done, or will be by the plan made here
	if err := r.keep(ctx); err != nil {
		r.mu.Lock()
		r.lastError = err
		r.mu.Unlock()
		return 0, err
	}
	wait := r.drain(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.renewAt.IsZero() {
		wait = min(wait, max(time.Until(r.renewAt), time.Second)) // never a hot loop
	}
	return wait, nil
}

func (r *Registrar) forgetWake() {
	select {
	case <-r.wake:
	default:
	}
}

// keep has usable credentials at its end, or an error.
func (r *Registrar) keep(ctx context.Context) error {
	r.mu.Lock()
	usable, id, refused := r.usableNow(), r.current.ClientID, r.refused
	due := !r.renewAt.IsZero() && !time.Now().Before(r.renewAt)
	r.mu.Unlock()
	switch {
	case !usable:
		return r.obtain(ctx, refused)
	case due:
		return r.obtain(ctx, id)
	}
	row, ok, err := r.stored(ctx, refused, false)
	if err != nil {
		return err
	}
	if ok {
		r.adopt(ctx, row, false) // another process may have replaced ours
	}
	return nil
}

// drain takes retired clients that nobody uses any more away from the provider
// and from the store, and answers when to look again. The caller holds work.
func (r *Registrar) drain(ctx context.Context) time.Duration {
	now, wait := time.Now(), checkEvery
	r.mu.Lock()
	due := make(map[string]store.OAuthClient)
	for id, row := range r.retired {
		at := r.drainAt(row)
		if now.Before(at) {
			wait = min(wait, at.Sub(now))
		} else if id != r.current.ClientID {
			due[id] = row
		}
	}
	r.mu.Unlock()
	for id, row := range due {
		if err := r.unregister(ctx, row.RegistrationURI, row.RegistrationToken); err != nil {
			if ctx.Err() != nil {
				return wait
			}
			if !expired(row) && now.Before(row.RetiredAt.Add(forgetAfter)) {
				r.log.DebugContext(ctx, "A retired client is not deleted yet", "client_id", short(id), "error", err)
				continue
			}
			r.log.WarnContext(ctx, "A retired client could not be deleted at the provider", "client_id", short(id), "error", err)
		}
		if err := r.store.DeleteOAuthClient(ctx, row.Provider, id); err != nil {
			r.log.WarnContext(ctx, "A retired client is not forgotten yet", "client_id", short(id), "error", err)
			continue
		}
		r.mu.Lock()
		delete(r.retired, id)
		delete(r.used, id)
		r.mu.Unlock()
	}
	return wait
}

// drainAt is when a retired client has no more use: some time after the last
// one that is known, or when it expires. The caller holds mu.
func (r *Registrar) drainAt(row store.OAuthClient) time.Time {
	last := row.RetiredAt
	// What was used before a restart is not known any more.
	for _, t := range []time.Time{r.started, r.used[row.ClientID]} {
		if t.After(last) {
			last = t
		}
	}
	at := last.Add(r.grace)
	if !row.SecretExpiresAt.IsZero() && row.SecretExpiresAt.Before(at) {
		return row.SecretExpiresAt
	}
	return at
}

// InvalidClient is to be called when the provider answered invalid_client to
// clientID. When it returns nil, Credentials has others; it registers at most
// once for all callers together. The error is ErrTooSoon where that would only
// be repeated.
func (r *Registrar) InvalidClient(ctx context.Context, clientID string) error {
	if err := r.lock(ctx); err != nil {
		return fmt.Errorf("replace OAuth client: %w", err)
	}
	defer r.unlock()
	r.mu.Lock()
	row, patience, usable, reason := r.current, r.patience, r.usableNow(), r.notReady()
	r.mu.Unlock()
	switch {
	case row.ClientID != clientID && usable:
		return nil // replaced already
	case !usable:
		return reason // Run is at it
	}
	// Another process may have seen it first.
	if newer, ok, err := r.stored(ctx, clientID, false); err == nil && ok {
		r.adopt(ctx, newer, false)
		return nil
	}
	age := time.Since(row.IssuedAt)
	if age < patience {
		return fmt.Errorf("%w (%v ago)", ErrTooSoon, age.Round(time.Second))
	}
	r.mu.Lock()
	r.refused = clientID
	r.patience = min(patience*2, maxPatience)
	if age >= 2*maxPatience {
		r.patience = minPatience
	}
	r.mu.Unlock()
	r.log.WarnContext(ctx, "The provider no longer knows the OAuth client", "client_id", short(clientID), "age", age.Round(time.Second), "hint", lastLonger)
	err := r.obtain(ctx, clientID)
	if err != nil {
		r.mu.Lock()
		r.lastError = err
		r.mu.Unlock()
		r.wakeUp() // Run goes on trying
	}
	return err
}
