package tool

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// invalid is a refusal whose text was written for the model.
type invalid struct{ text string }

func (e *invalid) Error() string { return e.text }

// Invalidf is the error for a rule that a schema cannot say. Its text goes to
// the model as it is: what is wrong, and what to do instead.
func Invalidf(format string, args ...any) error {
	return &invalid{fmt.Sprintf(format, args...)}
}

// advice is what to do next, per kind of failure. It is the one table of error
// texts for models.
var advice = []struct {
	kind error
	text string
}{
	{nextcloud.ErrInvalid, "Nothing was changed. Correct the arguments and try again."},
	{nextcloud.ErrUnauthenticated, "The person has to sign in again; reconnect this server in the client."},
	{nextcloud.ErrForbidden, "The signed-in person is not allowed to do this in Nextcloud; do not try again."},
	{nextcloud.ErrNotFound, "It may have been deleted or renamed: list or search again to find the current id."},
	{nextcloud.ErrPrecondition, "Nothing was changed: it changed since it was read. Fetch it again and retry with the new etag."},
	{nextcloud.ErrConflict, "Nothing was changed: something is in the way. Look at what is there first."},
	{nextcloud.ErrLocked, "Somebody is editing it now. Try again in a minute."},
	{nextcloud.ErrTooLarge, "Ask for less at once."},
	{nextcloud.ErrQuota, "The storage in Nextcloud is full; something has to be deleted first."},
	{nextcloud.ErrRateLimited, "Nextcloud asks to slow down. Wait before the next call."},
	{nextcloud.ErrMaintenance, "Try again when the maintenance is over."},
	{nextcloud.ErrUnavailable, "If this was to change something, look first whether it was done all the same. Try again once in a minute, and if it stays so, tell the person that Nextcloud cannot be reached."},
	{nextcloud.ErrAppMissing, "The app is not installed or not enabled in this Nextcloud; an administrator can add it."},
	{nextcloud.ErrPartly, "Nothing is lost. Do not repeat the call as it is: look first at what is there now."},
	{nextcloud.ErrBadAnswer, "Try again once; if it stays so, tell the person."},
}

// explain is an error as the model sees it. What it does not know it hides
// behind a reference, and logs once.
func explain(ctx context.Context, log *slog.Logger, name string, err error) string {
	if _, ok := errors.AsType[*invalid](err); ok {
		return err.Error()
	}
	if missing, ok := errors.AsType[*auth.SignInRequired](err); ok {
		return signInText(missing)
	}
	// The end of the call comes first: on the way to Nextcloud it looks like a
	// connection that failed.
	switch {
	case stopped(ctx, err, context.DeadlineExceeded):
		return "This took too long and was stopped. A change may have been made nevertheless, so look before trying again. Ask for less at once."
	case stopped(ctx, err, context.Canceled):
		return "The call was cancelled."
	}
	if e, ok := errors.AsType[*nextcloud.Error](err); ok {
		for _, a := range advice {
			if e.Is(a.kind) {
				return describe(e) + " " + waiting(e) + a.text
			}
		}
	}
	ref := rand.Text()[:8]
	log.ErrorContext(ctx, "Internal error in a tool", "tool", name, "ref", ref, "error", err)
	return fmt.Sprintf("Internal error (ref %s). Nothing more is known; tell the person, who can find the reference in the server's log.", ref)
}

// stopped reports whether err came of the end of the call, of the given kind.
// A time limit of the way to Nextcloud alone is not that.
func stopped(ctx context.Context, err, end error) bool {
	var e *nextcloud.Error
	return errors.Is(err, end) && (errors.Is(ctx.Err(), end) || !errors.As(err, &e))
}

// describe is one sentence of what failed and why.
func describe(e *nextcloud.Error) string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString("Could not " + e.Op + ": ")
	}
	b.WriteString(e.Kind.Error())
	if e.Message != "" && e.Message != e.Kind.Error() {
		b.WriteString(" (" + strings.TrimSuffix(e.Message, ".") + ")")
	}
	b.WriteByte('.')
	return b.String()
}

func waiting(e *nextcloud.Error) string {
	if e.RetryAfter <= 0 {
		return ""
	}
	return fmt.Sprintf("Wait %d seconds. ", int((e.RetryAfter+time.Second-1)/time.Second))
}
