package files

import (
	"context"
	"errors"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// explain is an error of a request about a path, in the words that help.
func (c *Client) explain(ctx context.Context, clean string, err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	out := *e
	out.Body = nil
	switch {
	case strings.Contains(e.Exception, "ForbiddenException"), strings.Contains(e.Exception, "InvalidPath"):
		// Nextcloud: a forbidden name such as .htaccess is an internal error.
		out.Kind = nextcloud.ErrInvalid
		if out.Message == "" {
			out.Message = "Nextcloud does not allow this name"
		}
	case errors.Is(e, nextcloud.ErrForbidden):
		out.Message = join(out.Message, "the folder or share it is in does not give this person the right; nc_webdav_get_info shows the rights")
	case errors.Is(e, nextcloud.ErrLocked):
		if l := c.holder(ctx, clean); l != nil {
			out.Message = join(out.Message, held(l))
		}
	case errors.Is(e, nextcloud.ErrQuota):
		out.Message = join("", "it does not fit into the quota of the person or of the owner of the folder, and nothing was written")
	}
	return &out
}

// holder is who has locked a path. It is asked only when something failed, and
// whatever goes wrong there is of no interest.
func (c *Client) holder(ctx context.Context, clean string) *Lock {
	q, _, err := c.query(ctx, "look at", clean)
	if err != nil {
		return nil
	}
	ms, err := c.dav.Propfind(ctx, q, lockProps...)
	if err != nil || len(ms.Responses) == 0 {
		return nil
	}
	return lock(&ms.Responses[0])
}

// held is a lock in words.
func held(l *Lock) string {
	who := l.Owner
	if who == "" {
		who = "somebody"
	}
	switch l.By {
	case ByApp:
		who = who + " in " + l.App
	case ByClient:
		who += " in another program"
	case ByPerson:
	}
	s := "locked by " + who
	if !l.Until.IsZero() {
		s += " until " + l.Until.Format(time.RFC3339)
	}
	return s
}

func join(first, second string) string {
	if first == "" {
		return second
	}
	return strings.TrimSuffix(first, ".") + "; " + second
}

// with is err with another message, when it is of that kind.
func with(err, kind error, message string) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok || !errors.Is(e, kind) {
		return err
	}
	out := *e
	out.Body, out.Message = nil, message
	return &out
}
