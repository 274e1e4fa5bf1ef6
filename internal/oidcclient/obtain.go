package oidcclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

// load reads what is stored and remembers the retired ones.
func (r *Registrar) load(ctx context.Context) ([]store.OAuthClient, error) {
	rows, err := r.store.OAuthClients(ctx, r.cfg.Provider)
	if err != nil {
		return nil, fmt.Errorf("load OAuth client: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = make(map[string]store.OAuthClient, len(rows))
	for _, row := range rows {
		if !row.RetiredAt.IsZero() {
			r.retired[row.ClientID] = row
		}
	}
	for id := range r.used {
		if _, ok := r.retired[id]; !ok {
			delete(r.used, id)
		}
	}
	return rows, nil
}

// stored is the stored active registration, if it is good for what is
// configured and is not the one that has to be replaced.
func (r *Registrar) stored(ctx context.Context, replace string, explain bool) (row store.OAuthClient, ok bool, err error) {
	rows, err := r.load(ctx)
	if err != nil || len(rows) == 0 || !rows[0].RetiredAt.IsZero() {
		return store.OAuthClient{}, false, err
	}
	row = rows[0]
	if row.ClientID == replace {
		return row, false, nil
	}
	why, attrs := "", []any{"client_id", short(row.ClientID)}
	switch {
	case row.Secret == "":
		why = "Stored client cannot be decrypted"
	case row.RedirectURI != r.cfg.RedirectURI, row.Scopes != r.cfg.Scopes.String(), row.Resource != r.cfg.Resource, row.TokenType != r.cfg.TokenType:
		why = "Stored client is for other settings"
	case expired(row):
		why, attrs = "Stored client has expired", append(attrs, "expired_at", row.SecretExpiresAt, "hint", lastLonger)
	}
	if why != "" && explain && r.explained != row.ClientID {
		r.explained = row.ClientID
		r.log.WarnContext(ctx, why, attrs...)
	}
	return row, why == "", nil
}

// obtain gets credentials: the stored ones, or those of a new registration.
// replace is a client id that must not be used any more. The caller holds work.
func (r *Registrar) obtain(ctx context.Context, replace string) error {
	lease := "oidcclient " + r.cfg.Provider
	giveUp := time.Now().Add(leaseWait)
	for first := true; ; first = false {
		row, ok, err := r.stored(ctx, replace, first)
		if err != nil {
			return err
		}
		if ok {
			r.adopt(ctx, row, false)
			return nil
		}
		got, err := r.store.AcquireLease(ctx, lease, r.owner, leaseTTL)
		switch {
		case err != nil:
			return fmt.Errorf("register OAuth client: %w", err)
		case got:
			err := r.obtainAlone(ctx, replace)
			free, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
			defer cancel()
			if e := r.store.ReleaseLease(free, lease, r.owner); e != nil {
				r.log.WarnContext(ctx, "A lease was not given back, it ends by itself", "error", e)
			}
			return err
		case time.Now().After(giveUp):
			return &RegistrationError{Kind: ErrUnavailable, Message: "another process on the same database is registering and does not come to an end: look into its log"}
		}
		if err := sleep(ctx, leasePoll+mathrand.N(leasePoll)); err != nil { //nolint:gosec // jitter needs no secrecy
			return err
		}
	}
}

// obtainAlone registers, unless another process did before we got the lease.
func (r *Registrar) obtainAlone(ctx context.Context, replace string) error {
	row, ok, err := r.stored(ctx, replace, false)
	if err != nil {
		return err
	}
	if ok {
		r.adopt(ctx, row, false)
		return nil
	}
	if err := r.waiting(); err != nil {
		return err
	}
	level := slog.LevelInfo
	if r.trouble.Load() != nil {
		level = slog.LevelDebug
	}
	r.log.Log(ctx, level, "Attempting dynamic client registration...")
	got, err := r.register(ctx)
	if err != nil {
		r.waitAfter(err)
		return err
	}
	r.log.InfoContext(ctx, "Dynamic client registration successful")
	r.compare(ctx, got)
	now := time.Now()
	row = store.OAuthClient{
		Provider: r.cfg.Provider, ClientID: got.ClientID, Secret: auth.Secret(got.ClientSecret),
		SecretExpiresAt: got.expiry(now), IssuedAt: now,
		RedirectURI: r.cfg.RedirectURI, Scopes: r.cfg.Scopes.String(), Resource: r.cfg.Resource, TokenType: r.cfg.TokenType,
		RegistrationToken: auth.Secret(got.RegistrationToken), RegistrationURI: got.RegistrationURI,
	}
	// From here on there is a client at the provider: it is saved even if
	// whoever waited has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := r.store.ActivateOAuthClient(ctx, row); err != nil {
		// Unsaved, it would be registered again and again.
		if e := r.unregister(ctx, row.RegistrationURI, row.RegistrationToken); e != nil {
			r.log.WarnContext(ctx, "A client that cannot be saved stays at the provider until it expires", "client_id", short(row.ClientID), "error", e)
		}
		return fmt.Errorf("save OAuth client: %w", err)
	}
	r.adopt(ctx, row, true)
	_, err = r.load(ctx) // for the one that was retired now
	return err
}

// waiting is the last refusal, as long as the provider asked to be left alone.
func (r *Registrar) waiting() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := time.Until(r.notBefore)
	if left <= 0 {
		return nil
	}
	again := *r.refusal
	again.RetryAfter = left
	return &again
}

// waitAfter notes how long to leave the provider alone after err.
func (r *Registrar) waitAfter(err error) {
	var refusal *RegistrationError
	if !errors.As(err, &refusal) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusal, r.notBefore = refusal, time.Now().Add(max(refusal.RetryAfter, time.Second))
}

// compare warns where the provider registered something else than was asked.
func (r *Registrar) compare(ctx context.Context, got *registration) {
	if got.Scope != nil {
		granted := strings.Fields(*got.Scope)
		var missing []string
		for _, s := range r.cfg.Scopes.Strings() {
			if !slices.Contains(granted, s) {
				missing = append(missing, s)
			}
		}
		if len(granted) > 0 && len(missing) > 0 {
			r.log.WarnContext(ctx, "The provider registered fewer scopes than asked for", "missing", strings.Join(missing, " "))
		}
	}
	if r.cfg.TokenType != "" && got.TokenType != "" && !strings.EqualFold(got.TokenType, r.cfg.TokenType) {
		r.log.WarnContext(ctx, "The provider registered another token type than asked for", "asked", r.cfg.TokenType, "got", got.TokenType)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
