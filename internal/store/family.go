package store

import (
	"context"
	"database/sql"
	"time"

	"nextcloud-mcp-server/internal/scope"
)

// RaceWindow is how long a refresh token that was replaced is still taken: its
// answer may have been lost, or two calls of one client may have been under
// way at once (RFC 9700, 4.14.2, leaves such a window to the server).
const RaceWindow = 30 * time.Second

const (
	maxRetries      = 5  // with replaced refresh tokens, between two regular uses
	maxAccessTokens = 20 // of a family
)

// line is what a family remembers of its refresh tokens.
type line struct {
	current Hash
	// used is the last one that was presented; it is still taken for a while.
	used replaced
	// other is the one that was current when used came back. Of two calls under
	// way at once the client may have kept either answer, so it is as good as
	// the current one until one of the two is presented: at is zero till then.
	other   replaced
	retries int
}

type replaced struct {
	hash Hash
	at   time.Time
}

// turn is the line after presented was exchanged for next. It reports whether
// presented may be exchanged at all.
func (l line) turn(presented, next Hash, now time.Time) (line, bool) {
	open := l.other.at.IsZero()
	after := line{current: next, used: replaced{presented, now}}
	switch {
	case presented == (Hash{}):
		return l, false
	case presented == l.current:
		if open {
			after.other = replaced{l.other.hash, now}
		}
		return after, true
	case presented == l.other.hash && open:
		after.other = replaced{l.current, now}
		return after, true
	case l.retries >= maxRetries:
		return l, false
	}
	for _, old := range []replaced{l.used, l.other} {
		if old.hash == presented && now.Sub(old.at) < RaceWindow {
			return line{current: next, used: old, other: replaced{hash: l.current}, retries: l.retries + 1}, true
		}
	}
	return l, false
}

// beginFamily writes a new family with its first tokens.
func (s *Store) beginFamily(ctx context.Context, tx conn, f Family, p Pair) error {
	if f.CreatedAt.IsZero() {
		f.CreatedAt = s.now()
	}
	_, err := tx.exec(ctx, `INSERT INTO families (id, grant_id, client_id, resource, scopes, refresh, replaced_at, raced_at, retries, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?)`,
		f.ID[:], f.GrantID, f.ClientID, f.Resource, f.Scopes.String(), p.Refresh.column(), millis(f.CreatedAt), millis(p.RefreshUntil))
	if err != nil {
		return err
	}
	return s.addAccessToken(ctx, tx, &f, p)
}

func (s *Store) addAccessToken(ctx context.Context, tx conn, f *Family, p Pair) error {
	// Most tokens have all scopes of their family; NULL says so and is short.
	scopes := sql.NullString{String: p.AccessScopes.String()}
	scopes.Valid = scopes.String != "" && scopes.String != f.Scopes.String()
	_, err := tx.exec(ctx, "INSERT INTO access_tokens (hash, family_id, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
		p.Access[:], f.ID[:], scopes, millis(s.now()), millis(p.AccessExpires))
	return err
}

// Rotate exchanges a refresh token for the tokens of p and answers the family
// as it is then.
//
// The current refresh token is taken, and a replaced one within RaceWindow, at
// most five times until a current one comes again; the answer to such a retry
// and the answer before are both current until one of them is presented. Any
// other token of the family was used before: the family has ended
// with its access tokens then, and the error is ErrReused. The error is
// ErrNotFound when there is no such family, when it expired, or when its grant
// ended. check may refuse a token that would be taken: nothing changes then
// and its error is returned as it is. It runs inside the transaction and must
// not use the store. With ErrReused or an error of check comes the family as
// it was.
func (s *Store) Rotate(ctx context.Context, family, presented Hash, p Pair, check func(Family) error) (Family, error) {
	var f Family
	var refused error
	err := s.write(ctx, "rotate refresh token", func(tx conn) error {
		now := s.now()
		var tokens line
		var err error
		if f, tokens, err = s.lockFamily(ctx, tx, family); err != nil {
			return err
		}
		tokens, taken := tokens.turn(presented, p.Refresh, now)
		if !taken {
			refused = ErrReused
			_, err := tx.exec(ctx, "DELETE FROM families WHERE id = ?", family[:])
			return err
		}
		if refused = check(f); refused != nil {
			return nil
		}
		f.ExpiresAt = instant(millis(p.RefreshUntil))
		_, err = tx.exec(ctx, `UPDATE families SET refresh = ?, replaced = ?, replaced_at = ?, raced = ?, raced_at = ?, retries = ?, expires_at = ?
			WHERE id = ?`, tokens.current.column(), tokens.used.hash.column(), millis(tokens.used.at),
			tokens.other.hash.column(), millis(tokens.other.at), tokens.retries, millis(p.RefreshUntil), family[:])
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `DELETE FROM access_tokens WHERE family_id = ?1 AND (expires_at <= ?2 OR hash NOT IN
			(SELECT hash FROM access_tokens WHERE family_id = ?1 ORDER BY created_at DESC, hash LIMIT ?3))`,
			family[:], millis(now), maxAccessTokens-1)
		if err != nil {
			return err
		}
		return s.addAccessToken(ctx, tx, &f, p)
	})
	if err != nil {
		return Family{}, err
	}
	return f, refused
}

// lockFamily is a family that has not expired, of a live grant.
func (s *Store) lockFamily(ctx context.Context, tx conn, id Hash) (Family, line, error) {
	var (
		f                                        = Family{ID: id}
		l                                        line
		scopes                                   string
		refresh, first, second                   []byte
		firstAt, secondAt, created, expires, now int64
		live                                     int
	)
	now = millis(s.now())
	err := tx.queryRow(ctx, `SELECT grant_id, client_id, resource, scopes, refresh, replaced, replaced_at, raced, raced_at, retries, created_at, expires_at,
		(SELECT count(*) FROM grants g WHERE g.id = families.grant_id AND g.state = 'active' AND (g.expires_at = 0 OR g.expires_at > ?))
		FROM families WHERE id = ?`+tx.lock(), now, id[:]).
		Scan(&f.GrantID, &f.ClientID, &f.Resource, &scopes, &refresh, &first, &firstAt, &second, &secondAt, &l.retries, &created, &expires, &live)
	if err != nil {
		return Family{}, line{}, absent(err)
	}
	f.Scopes, f.CreatedAt, f.ExpiresAt = scope.Parse(scopes), instant(created), instant(expires)
	l.current = hashColumn(refresh)
	l.used, l.other = replaced{hashColumn(first), instant(firstAt)}, replaced{hashColumn(second), instant(secondAt)}
	neverHadOne := refresh == nil && first == nil
	if live == 0 || neverHadOne || past(f.ExpiresAt, s.now()) {
		return Family{}, line{}, ErrNotFound
	}
	return f, l, nil
}
