package files

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Client is one person's files.
type Client struct {
	nc  *nextcloud.Client
	dav *dav.Client
	now func() time.Time
}

// New is a files client on nc.
func New(nc *nextcloud.Client) *Client {
	return &Client{nc: nc, dav: dav.New(nc), now: time.Now}
}

// home is where the person's files are below the host's base, encoded, without
// a slash at its end.
func (c *Client) home(ctx context.Context) (string, error) {
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return "", err
	}
	return nextcloud.Path(dav.Root+"/files", string(user))
}

// remote is a path of the person's files as the requests take it, and the same
// path cleaned.
func (c *Client) remote(ctx context.Context, op, name string) (encoded, clean string, err error) {
	clean, err = Clean(name)
	if err != nil {
		return "", "", invalidf(op, "%s", Reason(err))
	}
	home, err := c.home(ctx)
	if err != nil {
		return "", "", err
	}
	encoded, err = nextcloud.PathTree(home, clean)
	if err != nil {
		return "", "", invalidf(op, "%s", Reason(err))
	}
	return encoded, clean, nil
}

// query is a DAV request about a path of the person's files.
func (c *Client) query(ctx context.Context, op, name string) (dav.Query, string, error) {
	encoded, clean, err := c.remote(ctx, op, name)
	return dav.Query{Op: op, Path: encoded, Header: http.Header{}}, clean, err
}

// url opens a file or shows a folder in a browser.
func (c *Client) url(id int64) string {
	if id <= 0 {
		return ""
	}
	return c.nc.Host().PublicURL(fmt.Sprintf("/index.php/f/%d", id))
}

// invalidf is a refusal of what the caller asked for; nothing was written.
func invalidf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: fmt.Sprintf(format, args...)}
}

// named is what is tried, with the path in it: "read /a/b".
func named(verb, name string) string {
	const most = 120
	name = strings.Join(strings.Fields(name), " ")
	if r := []rune(name); len(r) > most {
		name = string(r[:most]) + "…"
	}
	return verb + " " + name
}
