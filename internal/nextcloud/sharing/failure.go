package sharing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

func invalid(op, message string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: message}
}

func forbidden(op, message string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: message}
}

// missingPath names the path that a list was asked of.
func missingPath(err error, path string) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok || path == "" || !errors.Is(e, nextcloud.ErrNotFound) {
		return err
	}
	out := *e
	out.Message = fmt.Sprintf("there is no file or folder %q", path)
	return &out
}

// What Nextcloud answers when it keeps the reason to itself. These sentences
// are not translated.
const (
	noReasonToCreate = "Failed to create share."
	noReasonToUpdate = "Failed to update share."
)

// rateLimited says how many shares Nextcloud lets people make.
func rateLimited(e *nextcloud.Error) error {
	out := *e
	out.Message = "Nextcloud lets a person make about 20 shares in 10 minutes"
	return &out
}

// createFailure finds out what a refusal to create a share means. Nextcloud
// answers 404 to a missing file, to an unknown recipient, to a wrong date and
// to a missing right alike, in the person's language.
func (c *Client) createFailure(ctx context.Context, d *Draft, err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	out := *e
	switch {
	case errors.Is(e, nextcloud.ErrRateLimited):
		return rateLimited(e)
	case errors.Is(e, nextcloud.ErrForbidden) && e.Message == noReasonToCreate:
		out.Message = "Nextcloud does not say why. " + d.guess()
		return &out
	case d.Kind == Team && e.Status == http.StatusInternalServerError:
		// Nextcloud: it breaks on a team that it does not know.
		out.Kind, out.Message = nextcloud.ErrInvalid, fmt.Sprintf("Nextcloud failed on the team %.60q: most likely there is none with this id. Search for recipients gives the ids", d.With)
		return &out
	case errors.Is(e, nextcloud.ErrNotFound):
		return c.whyNotFound(ctx, d, e)
	}
	return err
}

// guess is what usually makes Nextcloud refuse without a reason.
func (d *Draft) guess() string {
	switch d.Kind { //nolint:exhaustive // for the others there is one guess
	case Mail:
		return "Often it is shared with this address already"
	case Federated:
		return "Often it is shared with this person already, or the other server does not answer, or no such person is there"
	case User, Group:
		return "Often an administrator has switched sharing off, or limits it to people of one's own groups"
	}
	return "Often an administrator has switched sharing off for this person"
}

// whyNotFound asks what a 404 leaves open: whether the file is there, and what
// this person may do with it.
func (c *Client) whyNotFound(ctx context.Context, d *Draft, e *nextcloud.Error) error {
	out := *e
	mine, err := c.list(ctx, e.Op, "/shares", url.Values{"shared_with_me": {"true"}, "path": {d.Path}})
	switch {
	case errors.Is(err, nextcloud.ErrNotFound):
		out.Message = fmt.Sprintf("there is no file or folder %q", d.Path)
		return &out
	case err != nil:
		return e
	}
	var has Permissions
	for _, s := range mine.Shares {
		has |= s.Permissions
	}
	asked := d.Permissions
	if !d.Kind.public() {
		asked |= Read
	}
	switch {
	case len(mine.Shares) == 0:
	case has&Reshare == 0:
		return forbidden(e.Op, mine.Shares[0].who()+" shared it with this person without the right to share it on")
	case asked.Of(d.Kind)&^has != 0:
		return forbidden(e.Op, fmt.Sprintf("%s shared it with this person for: %s. Nobody can give more than they have", mine.Shares[0].who(), has))
	}
	out.Kind, out.Message = nextcloud.ErrInvalid, strings.TrimSuffix(e.Message, ".")
	if d.With != "" {
		out.Message += fmt.Sprintf(". If it is about %s %.60q: search for recipients gives the exact names", d.Kind, d.With)
	}
	return &out
}

// who is a person in words.
func (s *Share) who() string {
	if s.ByName != "" {
		return s.ByName
	}
	return s.By
}

// updateFailure is createFailure for a change of a share that was there before.
func (c *Client) updateFailure(ctx context.Context, s *Share, err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	out := *e
	switch {
	case errors.Is(e, nextcloud.ErrInvalid) && e.Message == noReasonToUpdate:
		out.Message = "Nextcloud does not say why. Often the permissions do not fit (a file cannot have create or delete), or a password or an end date is demanded"
	case errors.Is(e, nextcloud.ErrNotFound):
		// Nextcloud: a date in the past and permissions that nobody may give are
		// 404 as well.
		if _, getErr := c.Get(ctx, s.ID); getErr == nil {
			out.Kind = nextcloud.ErrInvalid
		}
	}
	return &out
}
