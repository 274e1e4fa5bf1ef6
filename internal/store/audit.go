package store

import (
	"context"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// AuditEntry is one thing that a connection did, or its end. It holds no
// contents.
type AuditEntry struct {
	At         time.Time
	UserID     nextcloud.UserID
	GrantID    string
	ClientName string
	Tool       string // empty for the end of the connection
	Object     string // what it was done to: an id or a path; may be empty
	Outcome    string // "ok", or one of the words of the metrics; an EndReason for the end
}

// maxAuditText bounds each text of an entry, in bytes.
const maxAuditText = 1000

// AppendAudit keeps entries, all or none of them. Texts longer than 1000 bytes
// are cut, and what is no text in them is replaced: they come from models. A zero time
// means now.
func (s *Store) AppendAudit(ctx context.Context, entries []AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, "save audit", func(tx conn) error {
		for _, e := range entries {
			if err := s.appendAudit(ctx, tx, &e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) appendAudit(ctx context.Context, tx conn, e *AuditEntry) error {
	if e.At.IsZero() {
		e.At = s.now()
	}
	_, err := tx.exec(ctx, "INSERT INTO audit (at, user_id, grant_id, client_name, tool, object, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
		millis(e.At), string(e.UserID), e.GrantID, auditText(e.ClientName), auditText(e.Tool), auditText(e.Object), auditText(e.Outcome))
	return err
}

// auditText is text as every database takes it.
func auditText(text string) string {
	if len(text) > maxAuditText {
		text = text[:maxAuditText]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// AuditOf are at most limit entries of a person, newest first.
func (s *Store) AuditOf(ctx context.Context, user nextcloud.UserID, limit int) ([]AuditEntry, error) {
	const op = "read audit"
	rows, err := s.read().query(ctx, `SELECT at, grant_id, client_name, tool, object, outcome FROM audit
		WHERE user_id = ? ORDER BY at DESC, id DESC LIMIT ?`, string(user), max(limit, 0))
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer rows.Close()
	var out []AuditEntry
	for rows.Next() {
		e := AuditEntry{UserID: user}
		var at int64
		if err := rows.Scan(&at, &e.GrantID, &e.ClientName, &e.Tool, &e.Object, &e.Outcome); err != nil {
			return nil, s.fail(op, err)
		}
		e.At = instant(at)
		out = append(out, e)
	}
	return out, s.fail(op, rows.Err())
}
