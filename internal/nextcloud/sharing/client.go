// Package sharing is the typed client of Nextcloud's share API (OCS, app
// files_sharing, version 1). It is separate from the tools so that what the API
// leaves unsaid is known in one place: which of its refusals mean what, that a
// share made twice is answered as it was, and that it knows dates only.
package sharing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

const apiPath = "/ocs/v2.php/apps/files_sharing/api/v1"

const formType = "application/x-www-form-urlencoded"

// Client reads and changes one person's shares.
type Client struct {
	nc *nextcloud.Client
}

// New is the sharing of the person that nc speaks for.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

// Me is the account of the person.
func (c *Client) Me(ctx context.Context) (string, error) {
	id, err := c.nc.UserID(ctx)
	return string(id), err
}

// List is some of the person's shares.
type List struct {
	Shares  []*Share
	Skipped []lenient.Skipped
}

func (c *Client) list(ctx context.Context, op, path string, query url.Values) (*List, error) {
	var wire lenient.List[wireShare]
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: apiPath + path, Query: query}, &wire); err != nil {
		return nil, err
	}
	out := &List{Skipped: wire.Skipped}
	for i := range wire.Items {
		out.Shares = append(out.Shares, wire.Items[i].share(c.nc.Host()))
	}
	return out, nil
}

// ByMe are the shares that the person made and those that others made of the
// person's files; of one file or folder when path is not empty. Below says that
// what lies directly in the folder is meant, and not the folder.
func (c *Client) ByMe(ctx context.Context, path string, below bool) (*List, error) {
	const op = "list shares"
	query := url.Values{"reshares": {"true"}}
	if path != "" {
		clean, err := CleanPath(op, path)
		if err != nil {
			return nil, err
		}
		query.Set("path", clean)
	}
	if below {
		query.Set("subfiles", "true")
	}
	out, err := c.list(ctx, op, "/shares", query)
	return out, missingPath(err, path)
}

// WithMe are the shares that others made for the person, from this server and
// from others; of one file or folder when path is not empty.
func (c *Client) WithMe(ctx context.Context, path string) (*List, error) {
	const op = "list what is shared with this person"
	query := url.Values{"shared_with_me": {"true"}}
	if path != "" {
		clean, err := CleanPath(op, path)
		if err != nil {
			return nil, err
		}
		path = clean
		query.Set("path", clean)
	}
	out, err := c.list(ctx, op, "/shares", query)
	if err != nil {
		return nil, missingPath(err, path)
	}
	remote, err := c.remote(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, s := range remote.Shares {
		if path == "" || s.Path == path {
			out.Shares = append(out.Shares, s)
		}
	}
	out.Skipped = append(out.Skipped, remote.Skipped...)
	return out, nil
}

// Pending are the shares of others that wait for the person, from this server
// and from others.
func (c *Client) Pending(ctx context.Context) (*List, error) {
	out, err := c.pendingHere(ctx)
	if err != nil {
		return nil, err
	}
	remote, err := c.remote(ctx, "/pending")
	if err != nil {
		return nil, err
	}
	return &List{append(out.Shares, remote.Shares...), append(out.Skipped, remote.Skipped...)}, nil
}

func (c *Client) pendingHere(ctx context.Context) (*List, error) {
	return c.waiting(ctx, "list pending shares", "/shares/pending", Pending)
}

// Left are the shares of groups and conversations that the person removed for
// themselves, and may take back.
func (c *Client) Left(ctx context.Context) (*List, error) {
	return c.waiting(ctx, "list the shares that were left", "/deletedshares", Left)
}

func (c *Client) waiting(ctx context.Context, op, path string, state State) (*List, error) {
	var wire lenient.List[wireShare]
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: apiPath + path}, &wire); err != nil {
		return nil, err
	}
	out := &List{Skipped: wire.Skipped}
	for i := range wire.Items {
		w := &wire.Items[i]
		if state == Pending && w.ItemBits != nil && Permissions(*w.ItemBits)&Read == 0 {
			// Nextcloud: a share with a group that was declined is listed here as
			// well as among those that were left, and can be accepted no more.
			continue
		}
		s := w.share(c.nc.Host())
		// Nextcloud: the path told is that of the owner or a mere name, and the
		// permissions are 0.
		if w.Target != "" {
			s.Path = string(w.Target)
		}
		s.State, s.Permissions = state, 0
		out.Shares = append(out.Shares, s)
	}
	return out, nil
}

var shareID = regexp.MustCompile(`^(remote:|ocinternal:)?[0-9]{1,20}$`)

// Get is one share by its id, also one that waits or was left.
func (c *Client) Get(ctx context.Context, id string) (*Share, error) {
	op := "get share " + id
	if !shareID.MatchString(id) {
		return nil, invalid("get the share", fmt.Sprintf("%.40q is no id of a share: it is a number, as the lists of shares give it", id))
	}
	if number, ok := strings.CutPrefix(id, remoteMark); ok {
		return c.getRemote(ctx, op, number)
	}
	if strings.HasPrefix(id, leftMark) {
		left, err := c.Left(ctx)
		return pick(op, id, left, err)
	}
	var wire lenient.List[wireShare]
	err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: apiPath + "/shares/" + id}, &oneOf[wireShare]{&wire})
	switch {
	case errors.Is(err, nextcloud.ErrNotFound) && !errors.Is(err, nextcloud.ErrAppMissing):
		// Nextcloud: a share that waits has no place in the person's files, and
		// is not found by its id.
		waiting, listErr := c.pendingHere(ctx)
		if listErr != nil {
			return nil, err
		}
		if s, pickErr := pick(op, id, waiting, nil); pickErr == nil {
			return s, nil
		}
		return nil, err
	case err != nil:
		return nil, err
	case len(wire.Items) != 1:
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud did not answer with one share"}
	}
	return wire.Items[0].share(c.nc.Host()), nil
}

func pick(op, id string, list *List, err error) (*Share, error) {
	if err != nil {
		return nil, err
	}
	for _, s := range list.Shares {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound, Message: "there is no such share"}
}

// Accept takes a share that waits or was left.
func (c *Client) Accept(ctx context.Context, s *Share) error {
	op := "accept share " + s.ID
	number, remote := strings.CutPrefix(s.ID, remoteMark)
	switch {
	case s.State == "":
		return invalid(op, "it does not wait for this person: it is in effect already")
	case remote:
		return c.send(ctx, op, http.MethodPost, "/remote_shares/pending/"+number)
	case s.State == Left:
		return c.takeUp(ctx, op, s)
	}
	return c.send(ctx, op, http.MethodPost, "/shares/pending/"+s.ID)
}

// takeUp takes back a share that was left. If it was declined when it waited,
// it waits again then.
func (c *Client) takeUp(ctx context.Context, op string, s *Share) error {
	if err := c.send(ctx, op, http.MethodPost, "/deletedshares/"+url.PathEscape(s.ID)); err != nil {
		return err
	}
	waiting, err := c.pendingHere(ctx)
	if err != nil {
		return err
	}
	number := strings.TrimPrefix(s.ID, leftMark)
	if _, err := pick(op, number, waiting, nil); err != nil {
		return nil //nolint:nilerr // it does not wait: it is in effect
	}
	return c.send(ctx, op, http.MethodPost, "/shares/pending/"+number)
}

// Decline refuses a share that waits.
func (c *Client) Decline(ctx context.Context, s *Share) error {
	op := "decline share " + s.ID
	if s.State != Pending {
		return invalid(op, "it does not wait for this person; what is in effect is removed, not declined")
	}
	if number, remote := strings.CutPrefix(s.ID, remoteMark); remote {
		return c.send(ctx, op, http.MethodDelete, "/remote_shares/pending/"+number)
	}
	return c.send(ctx, op, http.MethodDelete, "/shares/"+s.ID)
}

// Delete ends a share. Of a share with a group that this person is in, it ends
// it for this person only.
func (c *Client) Delete(ctx context.Context, s *Share) error {
	op := "delete share " + s.ID
	if number, remote := strings.CutPrefix(s.ID, remoteMark); remote {
		if s.State == Pending {
			return c.Decline(ctx, s)
		}
		return c.send(ctx, op, http.MethodDelete, "/remote_shares/"+number)
	}
	if s.State == Left {
		return invalid(op, "this person has left it already")
	}
	return c.send(ctx, op, http.MethodDelete, "/shares/"+s.ID)
}

// Leaves reports whether deleting the share only takes it away from this
// person, who can take it back.
func (s *Share) Leaves(me string) bool {
	return (s.Kind == Group || s.Kind == Room) && s.By != me && s.Owner != me
}

func (c *Client) send(ctx context.Context, op, method, path string) error {
	return c.nc.OCS(ctx, nextcloud.Request{Op: op, Method: method, Path: apiPath + path}, nil)
}

// CleanPath is a path as the share API takes it: absolute, without empty
// segments. What could lead elsewhere is refused.
func CleanPath(op, path string) (string, error) {
	if _, err := nextcloud.PathTree("", path); err != nil {
		e, _ := errors.AsType[*nextcloud.Error](err)
		return "", invalid(op, e.Message)
	}
	return "/" + strings.Join(strings.FieldsFunc(path, func(r rune) bool { return r == '/' }), "/"), nil
}
