package calendar

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Share is one person or group that a calendar is shared with.
type Share struct {
	With   string `json:"with"`           // the id
	Kind   string `json:"kind"`           // user, group or circle
	Name   string `json:"name,omitempty"` // what people see
	Access string `json:"access"`         // read or read-write
}

var (
	propInvite     = dav.Name(dav.NSOwnCloud, "invite")
	propPublishURL = dav.Name(dav.NSCalendarServer, "publish-url")
)

// The kinds of those whom calendars are shared with, and the collections of
// their principals.
var shareKinds = map[string]string{"users": "user", "groups": "group", "circles": "circle"}

const principalScheme = "principal:principals/"

func principalOf(kind, id string) string {
	collection := "users"
	for c, k := range shareKinds {
		if k == kind {
			collection = c
		}
	}
	// Nextcloud: the name is decoded once more than in a path.
	return principalScheme + collection + "/" + url.QueryEscape(id)
}

// readShares are the shares of a calendar as its owner sees them.
func readShares(r *dav.Response) []Share {
	invite := r.Prop(propInvite)
	if invite == nil {
		return nil
	}
	var out []Share
	for _, user := range invite.Children {
		if user.Name != dav.Name(dav.NSOwnCloud, "user") {
			continue
		}
		collection, id, ok := strings.Cut(strings.TrimPrefix(user.Child(propHref).String(), principalScheme), "/")
		if !ok || id == "" {
			continue
		}
		if decoded, err := url.QueryUnescape(id); err == nil {
			id = decoded
		}
		s := Share{With: id, Kind: cmp.Or(shareKinds[collection], collection), Access: "read"}
		if name := user.Child(dav.Name(dav.NSOwnCloud, "common-name")).String(); name != id {
			s.Name = name
		}
		if user.Child(dav.Name(dav.NSOwnCloud, "access")).Has(dav.Name(dav.NSOwnCloud, "read-write")) {
			s.Access = "read-write"
		}
		out = append(out, s)
	}
	return out
}

// ShareCalendar shares a calendar with a user, group or circle, changes what
// they may do, or with an empty access ends the share. It answers all shares
// that are there then.
func (c *Client) ShareCalendar(ctx context.Context, name, kind, with, access string) ([]Share, error) {
	const op = "share calendar"
	with = strings.TrimSpace(with)
	if with == "" {
		return nil, invalidf(op, "share_with is missing: the id of a user or group in this Nextcloud")
	}
	cal, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if err := mine(op, cal); err != nil {
		return nil, err
	}
	href := dav.Text(propHref, principalOf(kind, with))
	change := dav.El(dav.Name(dav.NSOwnCloud, "remove"), href)
	if access != "" {
		change = dav.El(dav.Name(dav.NSOwnCloud, "set"), href)
		if access == "read-write" {
			change.Children = append(change.Children, dav.El(dav.Name(dav.NSOwnCloud, "read-write")))
		}
	}
	if err := c.dav.Post(ctx, dav.Query{Op: op, Path: cal.path}, dav.El(dav.Name(dav.NSOwnCloud, "share"), change)); err != nil {
		return nil, c.explain(ctx, err)
	}
	c.forget(ctx)
	shares, _, err := c.Shares(ctx, name)
	if err != nil {
		return nil, partly(err, "Nextcloud took the change, but what came of it could not be read; list the calendars to see")
	}
	// Nextcloud: whom it does not know, or may not share with, it leaves out
	// without a word.
	for _, s := range shares {
		if strings.EqualFold(s.With, with) && s.Kind == kind {
			switch access {
			case s.Access:
				return shares, nil
			case "":
				return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud did not end the share"}
			}
			return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud did not change the access"}
		}
	}
	if access != "" {
		return nil, notFoundf(op, "Nextcloud did not share it: there is no %s %.60q, or sharing with them is not allowed here", kind, with)
	}
	return shares, nil
}

// Shares are those whom an own calendar is shared with, and its public
// address, if any.
func (c *Client) Shares(ctx context.Context, name string) ([]Share, *Public, error) {
	const op = "read shares of calendar"
	cal, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, nil, err
	}
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: cal.path}, propInvite, propPublishURL)
	if err != nil {
		return nil, nil, c.explain(ctx, err)
	}
	if len(ms.Responses) == 0 {
		return nil, nil, notFoundf(op, "the calendar %s is not there any more", cal.Name)
	}
	r := &ms.Responses[0]
	return readShares(r), c.readPublic(r), nil
}

// Public are the addresses of a published calendar.
type Public struct {
	Page      string `json:"page"`      // for a browser
	Subscribe string `json:"subscribe"` // for calendar programs
	Download  string `json:"download"`  // one ICS file
}

func (c *Client) readPublic(r *dav.Response) *Public {
	address := r.Prop(propPublishURL).Child(propHref).String()
	token := dav.Base(address)
	if token == "" {
		return nil
	}
	below := dav.Root + "/public-calendars/" + url.PathEscape(token)
	host := c.nc.Host()
	p := &Public{Page: host.PublicURL("/index.php/apps/calendar/p/" + url.PathEscape(token)), Download: host.PublicURL(below) + "?export"}
	if u, err := url.Parse(p.Download); err == nil {
		// webcal is HTTPS or HTTP, as programs choose.
		u.Scheme = "webcal"
		p.Subscribe = u.String()
	}
	return p
}

// PublishCalendar gives a calendar a public address, or takes it away. nil
// means that it has none.
func (c *Client) PublishCalendar(ctx context.Context, name string, on bool) (*Public, error) {
	op, verb := "publish calendar", "publish-calendar"
	if !on {
		op, verb = "unpublish calendar", "unpublish-calendar"
	}
	cal, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if err := mine(op, cal); err != nil {
		return nil, err
	}
	if err := c.dav.Post(ctx, dav.Query{Op: op, Path: cal.path}, dav.El(dav.Name(dav.NSCalendarServer, verb))); err != nil {
		return nil, c.explain(ctx, err)
	}
	c.forget(ctx)
	_, public, err := c.Shares(ctx, name)
	switch {
	case err != nil:
		return nil, partly(err, "Nextcloud took the change, but what came of it could not be read; list the calendars to see")
	case on && public == nil:
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: "Nextcloud did not publish it; an administrator may have switched public calendars off"}
	case !on && public != nil:
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "the calendar is still public"}
	}
	return public, nil
}
