package store

import (
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Account is the one account of a person who works without a server: what the
// login command keeps for stdio.
type Account struct {
	Host      string // the Nextcloud, as a base URL
	LoginName nextcloud.LoginName
	UserID    nextcloud.UserID
	Password  auth.Secret // an app password
	CreatedAt time.Time
}
