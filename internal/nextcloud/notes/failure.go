package notes

import (
	"bytes"
	"errors"

	"nextcloud-mcp-server/internal/nextcloud"
)

func invalid(op, message string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: message}
}

// missing tells a note that is not there from an app that is not there.
func missing(err error) error {
	// Nextcloud: the route of an app that is not there answers 404 with a web
	// page, or with nothing when JSON was asked for; the app itself with JSON.
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && errors.Is(e, nextcloud.ErrNotFound) && !bytes.HasPrefix(bytes.TrimSpace(e.Body), []byte("{")) {
		return missingApp(err)
	}
	return err
}

// missingApp is missing for what every Notes app has.
func missingApp(err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok || !errors.Is(e, nextcloud.ErrNotFound) {
		return err
	}
	out := *e
	out.Kind, out.Message = nextcloud.ErrAppMissing, "the Notes app is not installed"
	return &out
}

// readOnly explains why a note may not be written.
func readOnly(e *nextcloud.Error) error {
	if e.Message != "" {
		return e // the server gave a reason of its own
	}
	out := *e
	out.Message = "the note is read-only: it is shared with this person without the right to change it"
	return &out
}

// validETag reports whether tag can be an entity tag (RFC 9110, 8.8.3).
func validETag(tag string) bool {
	tag = nextcloud.UnquoteETag(tag)
	for _, b := range []byte(tag) {
		if b <= ' ' || b == '"' || b >= 0x7f {
			return false
		}
	}
	return tag != "" && len(tag) <= 256
}
