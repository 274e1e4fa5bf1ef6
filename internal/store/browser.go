package store

import (
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Flow is something that a browser is in the middle of and that has to be
// found again, by any process: an authorization request, a sign-in.
type Flow struct {
	Kind      string // keys of different kinds never meet
	Key       Hash   // of the random id in the address, or of a state parameter
	Payload   auth.Secret
	Version   int64 // counts the updates; set by the store
	ExpiresAt time.Time
}

// BrowserSession is a browser, by its cookie, and who signed in there.
type BrowserSession struct {
	ID          Hash // of the cookie
	UserID      nextcloud.UserID
	DisplayName string
	Issuer      string
	CreatedAt   time.Time
	ExpiresAt   time.Time
}
