package store

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/scope"
)

// keepUsedCode is how long after its expiry a used code is kept, so that a
// second use is noticed.
const keepUsedCode = 10 * time.Minute

// PutCode keeps an authorization code. The error is ErrNotFound when its grant
// is not active, or no longer.
func (s *Store) PutCode(ctx context.Context, c Code) error {
	return s.write(ctx, "save code", func(tx conn) error {
		if err := s.lockLiveGrant(ctx, tx, c.GrantID); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO codes (hash, grant_id, client_id, redirect_uri, code_challenge, resource, scopes, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			c.Hash[:], c.GrantID, c.ClientID, c.RedirectURI, c.CodeChallenge, c.Resource, c.Scopes.String(), millis(c.ExpiresAt))
		return err
	})
}

// lockLiveGrant keeps a grant as it is to the end of the transaction. The
// error is ErrNotFound unless it is active and has not expired.
//
// Rows are locked in the order grant, family or code, token, as the foreign
// keys do it when a grant ends; another order could lock two processes against
// each other.
func (s *Store) lockLiveGrant(ctx context.Context, tx conn, id string) error {
	var found string
	return absent(tx.queryRow(ctx, "SELECT id FROM grants WHERE id = ? AND state = 'active' AND (expires_at = 0 OR expires_at > ?)"+tx.lock(),
		id, millis(s.now())).Scan(&found))
}

// RedeemCode exchanges a code for the tokens of p and the family f, of which
// only ID and CreatedAt (zero means now) count: the rest comes from the code
// and from p.
//
// The error is ErrNotFound when there is no such code, or it expired, or its
// grant ended. On a second use it is ErrReused, and the family that the first
// use began has ended. Otherwise check decides, and its error is returned as
// it is; the code counts as used all the same. check runs inside the
// transaction and must not use the store. Where there is a code, it is
// returned with the error.
func (s *Store) RedeemCode(ctx context.Context, code Hash, f Family, p Pair, check func(Code) error) (Code, error) {
	var c Code
	var refused error
	err := s.write(ctx, "redeem code", func(tx conn) error {
		var began Hash
		var used bool
		var err error
		c, began, used, err = s.lockCode(ctx, tx, code)
		switch {
		case err != nil:
			return err
		case used:
			refused = ErrReused
			_, err := tx.exec(ctx, "DELETE FROM families WHERE id = ?", began[:])
			return err
		case past(c.ExpiresAt, s.now()):
			return ErrNotFound
		}
		if _, err := tx.exec(ctx, "UPDATE codes SET family_id = ? WHERE hash = ?", f.ID[:], code[:]); err != nil {
			return err
		}
		if refused = check(c); refused != nil {
			return nil
		}
		f.GrantID, f.ClientID, f.Resource, f.Scopes = c.GrantID, c.ClientID, c.Resource, c.Scopes
		return s.beginFamily(ctx, tx, f, p)
	})
	if err != nil {
		return Code{}, err
	}
	return c, refused
}

// lockCode is a code of a live grant, whether it was used, and the family that
// it began then.
func (s *Store) lockCode(ctx context.Context, tx conn, code Hash) (c Code, began Hash, used bool, err error) {
	c.Hash = code
	if err := tx.queryRow(ctx, "SELECT grant_id FROM codes WHERE hash = ?", code[:]).Scan(&c.GrantID); err != nil {
		return Code{}, Hash{}, false, absent(err)
	}
	if err := s.lockLiveGrant(ctx, tx, c.GrantID); err != nil {
		return Code{}, Hash{}, false, err
	}
	var (
		scopes  string
		expires int64
		family  []byte
	)
	err = tx.queryRow(ctx, `SELECT client_id, redirect_uri, code_challenge, resource, scopes, expires_at, family_id
		FROM codes WHERE hash = ?`+tx.lock(), code[:]).
		Scan(&c.ClientID, &c.RedirectURI, &c.CodeChallenge, &c.Resource, &scopes, &expires, &family)
	if err != nil {
		return Code{}, Hash{}, false, absent(err)
	}
	c.Scopes, c.ExpiresAt = scope.Parse(scopes), instant(expires)
	return c, hashColumn(family), family != nil, nil
}
