package store

import (
	"context"
	"encoding/json"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// maxGrants bounds the answer of GrantsOf.
const maxGrants = 500

// StaleGrant is a grant that should end, and why.
type StaleGrant struct {
	ID  string
	Why EndReason
}

// grantColumns are the columns that scanGrant reads, of a table named g.
const grantColumns = `g.id, g.state, g.user_id, g.login_name, g.display_name, g.issuer, g.subject, g.method,
	g.client_id, g.client_name, g.client_uri, g.client_kind, g.redirect_host, g.scopes, g.policy,
	g.credential_kind, g.credential_host, g.credential_version, g.created_at, g.last_used_at, g.expires_at`

func grantCell(id string) cell {
	return cell{table: "grants", column: "credential_secret", key: []string{id}}
}

// scanGrant reads grantColumns, and what the query asks for after them. The
// credential's secret stays empty.
func scanGrant(scan func(...any) error, more ...any) (Grant, error) {
	var (
		g                      Grant
		scopes, narrowed       string
		created, used, expires int64
	)
	err := scan(append([]any{
		&g.ID, &g.State, &g.UserID, &g.LoginName, &g.DisplayName, &g.Issuer, &g.Subject, &g.Method,
		&g.ClientID, &g.ClientName, &g.ClientURI, &g.ClientKind, &g.RedirectHost, &scopes, &narrowed,
		&g.Credential.Kind, &g.Credential.Host, &g.Credential.Version, &created, &used, &expires,
	}, more...)...)
	if err != nil {
		return Grant{}, absent(err)
	}
	// What narrows the grant cannot be read, so it must not pass for nothing.
	if err := json.Unmarshal([]byte(narrowed), &g.Policy); err != nil {
		return Grant{}, &Error{Op: "read grant", Kind: ErrDamaged, Message: "what a person allowed a connection cannot be read: end the connection and sign in again", Err: err}
	}
	g.Scopes = scope.Parse(scopes)
	g.CreatedAt, g.LastUsedAt, g.ExpiresAt = instant(created), instant(used), instant(expires)
	return g, nil
}

// Grant is a grant with its credential. The error is ErrNotFound when there is
// none, and ErrDamaged when the credential does not decrypt.
func (s *Store) Grant(ctx context.Context, id string) (Grant, error) {
	var sealed []byte
	row := s.read().queryRow(ctx, "SELECT "+grantColumns+", g.credential_secret FROM grants g WHERE g.id = ?", id)
	g, err := scanGrant(row.Scan, &sealed)
	if err != nil {
		return Grant{}, s.fail("read grant", err)
	}
	g.Credential.Secret, err = s.openCredential(sealed, id)
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

func (s *Store) openCredential(sealed []byte, grant string) (auth.Secret, error) {
	secret, err := s.sealer.open(sealed, grantCell(grant))
	if err != nil {
		return "", &Error{Op: "read grant", Kind: ErrDamaged, Message: "a stored credential does not belong to its connection or was changed: sign in again to replace it", Err: err}
	}
	return secret, nil
}

// GrantFor is the active grant of a person with a client, without the secret
// of its credential. It may have expired. The error is ErrNotFound when there
// is none.
func (s *Store) GrantFor(ctx context.Context, user nextcloud.UserID, clientID string) (Grant, error) {
	row := s.read().queryRow(ctx, "SELECT "+grantColumns+" FROM grants g WHERE g.user_id = ? AND g.client_id = ? AND g.state = 'active'",
		string(user), clientID)
	g, err := scanGrant(row.Scan)
	return g, s.fail("read grant", err)
}

// GrantsOf are the active grants of a person, at most 500 of them, last used
// first; one that was never used counts from its beginning. The secrets of
// their credentials are left out.
func (s *Store) GrantsOf(ctx context.Context, user nextcloud.UserID) ([]Grant, error) {
	const op = "list grants"
	rows, err := s.read().query(ctx, "SELECT "+grantColumns+` FROM grants g WHERE g.user_id = ? AND g.state = 'active'
		ORDER BY CASE WHEN g.last_used_at > g.created_at THEN g.last_used_at ELSE g.created_at END DESC, g.id LIMIT ?`,
		string(user), maxGrants)
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer rows.Close()
	var out []Grant
	for rows.Next() {
		g, err := scanGrant(rows.Scan)
		if err != nil {
			return nil, s.fail(op, err)
		}
		out = append(out, g)
	}
	return out, s.fail(op, rows.Err())
}

// StaleGrants are at most limit grants that should end: those that nobody
// consented to and that were made before pendingBefore, those that expired,
// and those that were neither made nor used since unusedBefore.
func (s *Store) StaleGrants(ctx context.Context, pendingBefore, unusedBefore time.Time, limit int) ([]StaleGrant, error) {
	const op = "list stale grants"
	now := s.now()
	rows, err := s.read().query(ctx, `SELECT id, state, expires_at FROM grants
		WHERE (state = 'pending' AND created_at < ?)
		OR (state = 'active' AND expires_at > 0 AND expires_at <= ?)
		OR (state = 'active' AND last_used_at < ? AND created_at < ?) LIMIT ?`,
		millis(pendingBefore), millis(now), millis(unusedBefore), millis(unusedBefore), max(limit, 0))
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer rows.Close()
	var out []StaleGrant
	for rows.Next() {
		var (
			stale   StaleGrant
			state   GrantState
			expires int64
		)
		if err := rows.Scan(&stale.ID, &state, &expires); err != nil {
			return nil, s.fail(op, err)
		}
		switch {
		case state == GrantPending:
			stale.Why = EndedUnconfirmed
		case past(instant(expires), now):
			stale.Why = EndedByTime
		default:
			stale.Why = EndedUnused
		}
		out = append(out, stale)
	}
	return out, s.fail(op, rows.Err())
}
