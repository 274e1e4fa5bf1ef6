package store

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
)

// ActivateGrant notes a person's consent and answers the grant that is active
// now, without the secret of its credential.
//
// A person has one active grant with a client. When there is one already, it
// takes over scopes, policy, expiry, names, sign-in and credential of the
// pending grant, whose row goes away; its own app password is to be revoked
// then. It keeps its own credential when the pending grant has none. On a
// grant that is active already only scopes, policy and expiry change.
func (s *Store) ActivateGrant(ctx context.Context, id string, scopes scope.Set, p policy.Policy, expires time.Time) (Grant, error) {
	narrowed, err := json.Marshal(p)
	if err != nil {
		return Grant{}, s.fail("activate grant", err)
	}
	var active Grant
	err = s.write(ctx, "activate grant", func(tx conn) error {
		asked, older, err := s.grantsToMerge(ctx, tx, id)
		if err != nil {
			return err
		}
		active = asked.Grant
		if older != nil {
			if active, err = s.mergeGrants(ctx, tx, older, asked); err != nil {
				return err
			}
		}
		active.State, active.Scopes, active.Policy, active.ExpiresAt = GrantActive, scopes, p, instant(millis(expires))
		return tx.changeOne(ctx, "UPDATE grants SET state = 'active', scopes = ?, policy = ?, expires_at = ? WHERE id = ?",
			scopes.String(), string(narrowed), millis(expires), active.ID)
	})
	if err != nil {
		return Grant{}, err
	}
	return active, nil
}

// sealedGrant is a grant whose credential is not decrypted yet.
type sealedGrant struct {
	Grant
	sealed []byte
}

// grantsToMerge are the grant that was asked for and the active one of the
// same person with the same client, nil when that is none or the same.
func (s *Store) grantsToMerge(ctx context.Context, tx conn, id string) (asked, older *sealedGrant, err error) {
	var user nextcloud.UserID
	var client string
	err = tx.queryRow(ctx, "SELECT user_id, client_id FROM grants WHERE id = ?", id).Scan(&user, &client)
	if err != nil {
		return nil, nil, absent(err)
	}
	// All grants of the two are locked, in one order for everybody, so that of
	// two pending ones only one becomes the active one.
	rows, err := tx.query(ctx, "SELECT "+grantColumns+`, g.credential_secret FROM grants g
		WHERE g.user_id = ? AND g.client_id = ? ORDER BY g.id`+tx.lock(), string(user), client)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var g sealedGrant
		if g.Grant, err = scanGrant(rows.Scan, &g.sealed); err != nil {
			return nil, nil, err
		}
		switch {
		case g.ID == id:
			asked = &g
		case g.State == GrantActive:
			older = &g
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	if asked == nil {
		return nil, nil, ErrNotFound
	}
	return asked, older, nil
}

// mergeGrants gives older the names, the sign-in and the credential of newer,
// whose row goes away, and answers what older is then.
func (s *Store) mergeGrants(ctx context.Context, tx conn, older, newer *sealedGrant) (Grant, error) {
	if err := tx.changeOne(ctx, "DELETE FROM grants WHERE id = ?", newer.ID); err != nil {
		return Grant{}, err
	}
	g := newer.Grant
	g.ID, g.CreatedAt, g.LastUsedAt, g.Credential = older.ID, older.CreatedAt, older.LastUsedAt, older.Credential
	if newer.Credential.Kind != "" {
		g.Credential = newer.Credential
		g.Credential.Version = older.Credential.Version + 1
		if err := s.moveCredential(ctx, tx, older, newer, g.Credential); err != nil {
			return Grant{}, err
		}
	}
	return g, tx.changeOne(ctx, `UPDATE grants SET login_name = ?, display_name = ?, issuer = ?, subject = ?, method = ?,
		client_name = ?, client_uri = ?, client_kind = ?, redirect_host = ? WHERE id = ?`,
		string(g.LoginName), g.DisplayName, g.Issuer, string(g.Subject), string(g.Method),
		g.ClientName, g.ClientURI, string(g.ClientKind), g.RedirectHost, g.ID)
}

// moveCredential replaces the credential of older by that of newer; an app
// password that is replaced goes to the revocations.
func (s *Store) moveCredential(ctx context.Context, tx conn, older, newer *sealedGrant, c Credential) error {
	secret, err := s.openCredential(newer.sealed, newer.ID)
	if err != nil {
		return err
	}
	// A replaced password that does not decrypt can be revoked by nobody. The
	// same one once more is not replaced.
	replaced, err := s.openCredential(older.sealed, older.ID)
	if err == nil && subtle.ConstantTimeCompare([]byte(replaced.Reveal()), []byte(secret.Reveal())) == 0 {
		g := older.Grant
		g.Credential.Secret = replaced
		if err := s.revokeCredential(ctx, tx, &g); err != nil {
			return err
		}
	}
	return tx.changeOne(ctx, `UPDATE grants SET credential_kind = ?, credential_secret = ?, credential_host = ?, credential_version = ? WHERE id = ?`,
		string(c.Kind), s.sealer.seal(secret, grantCell(older.ID)), c.Host, c.Version, older.ID)
}
