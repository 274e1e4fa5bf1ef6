package contacts

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Client is one person's contacts.
type Client struct {
	nc  *nextcloud.Client
	dav *dav.Client
	now func() time.Time
}

// New is a contacts client on nc.
func New(nc *nextcloud.Client) *Client {
	return &Client{nc: nc, dav: dav.New(nc), now: time.Now}
}

// invalidf is a refusal of what the caller asked for; nothing was written.
func invalidf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: fmt.Sprintf(format, args...)}
}

func notFoundf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Message: fmt.Sprintf(format, args...)}
}

// explain says what Nextcloud's answers to writes mean.
func explain(err error) error {
	var e *nextcloud.Error
	if !errors.As(err, &e) {
		return err
	}
	out := *e
	switch {
	case e.Status == http.StatusBadRequest && strings.Contains(e.Message, "already exists"):
		out.Kind = nextcloud.ErrConflict
		out.Message = "a contact with this uid exists in this address book"
	case e.Status == http.StatusForbidden && strings.Contains(e.Message, "limit reached"):
		out.Message = "Nextcloud lets a person have no more than this; an administrator can change the limit"
	case e.Status == http.StatusForbidden && strings.Contains(e.Message, "exceeds"):
		out.Kind = nextcloud.ErrTooLarge
		out.Message = "the contact is too large for Nextcloud, most likely because of its photo"
	case errors.Is(e.Kind, nextcloud.ErrForbidden):
		out.Message = "this person can only read this address book: it is one of the server's own, or shared without the right to change it"
	case e.Status == http.StatusMethodNotAllowed:
		out.Message = "an address book of this name exists"
	default:
		return err
	}
	return &out
}

// reason is an error in a few words.
func reason(err error) string {
	var e *nextcloud.Error
	if errors.As(err, &e) && e.Kind != nil {
		if e.Message != "" {
			return e.Kind.Error() + " (" + e.Message + ")"
		}
		return e.Kind.Error()
	}
	return err.Error()
}
