package store

import (
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// AuditEntry is one thing that a connection did. It holds no contents.
type AuditEntry struct {
	At         time.Time
	UserID     nextcloud.UserID
	GrantID    string
	ClientName string
	Tool       string
	Object     string // what it was done to: an id or a path; may be empty
	Outcome    string // "ok", or one of the words of the metrics
}
