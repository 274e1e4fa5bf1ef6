package calendar

import (
	"context"
	"errors"
	"net/http"
	"path"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Moved is what a move came to.
type Moved struct {
	UID      string
	From, To *Calendar
	ETag     string
	Event    Summary
}

// Move moves an event, with all its occurrences, to another calendar. It is
// the server that moves it, so that nothing of it changes.
func (c *Client) Move(ctx context.Context, t Target, to string) (*Moved, error) {
	const op = "move event"
	target, err := c.Resolve(ctx, op, to)
	if err != nil {
		return nil, err
	}
	if err := mayWrite(op, target, "VEVENT"); err != nil {
		return nil, err
	}
	o, _, err := c.open(ctx, op, t)
	if err != nil {
		return nil, err
	}
	return c.moveObject(ctx, op, o, target)
}

func (c *Client) moveObject(ctx context.Context, op string, o *object, target *Calendar) (*Moved, error) {
	uid := o.First().Text("UID")
	if o.cal.path == target.path {
		return nil, invalidf(op, "the event is in the calendar %s already", target.Name)
	}
	m := &Moved{UID: uid, From: o.cal, To: target, ETag: o.etag}
	if occ, err := o.master(); err == nil {
		m.Event = o.summarize(occ)
	}
	m.Event.CalendarName, m.Event.RecurrenceID = target.Name, ""
	destination := target.path + path.Base(o.path)
	err := c.dav.Move(ctx, dav.Query{Op: op, Path: o.path, Header: http.Header{"If-Match": {nextcloud.QuoteETag(o.etag)}}}, destination, dav.Keep)
	if err != nil {
		return nil, c.explainMove(ctx, err, target)
	}
	c.forgetPlace(ctx, o.cal, uid)
	c.remember(ctx, target, uid, destination)
	return m, nil
}

// explainMove says what Nextcloud's refusals of a move mean.
func (c *Client) explainMove(ctx context.Context, err error, target *Calendar) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	out := *e
	switch {
	case e.Status == http.StatusConflict:
		c.forget(ctx)
		out.Message = "the calendar " + target.Name + " is not there any more"
	case e.Status == http.StatusPreconditionFailed && e.Message != "" && target != nil:
		out.Message = "it was changed meanwhile, or a file of the same name is in the calendar " + target.Name
	default:
		return c.explain(ctx, err)
	}
	return &out
}
