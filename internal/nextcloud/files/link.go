package files

import (
	"context"
	"fmt"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// MaxLink is how long a direct link can work.
const MaxLink = 24 * time.Hour

// Link is an address under which anybody can download a file for a while.
type Link struct {
	URL     string
	Expires time.Time
}

// Link makes a link that gives out a file without signing in, for that long;
// default 8 hours.
func (c *Client) Link(ctx context.Context, name string, lasts time.Duration) (*Link, error) {
	op := named("make a download link for", name)
	if lasts <= 0 {
		lasts = 8 * time.Hour
	}
	if lasts > MaxLink {
		return nil, invalidf(op, "a link works for at most %s", MaxLink)
	}
	e, err := c.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	if e.Folder {
		return nil, invalidf(op, "it is a folder; only files have such links")
	}
	var data struct {
		URL string `json:"url"`
	}
	until := c.now().Add(lasts)
	body := fmt.Sprintf("fileId=%d&expirationTime=%d", e.FileID, int64(lasts/time.Second))
	err = c.nc.OCS(ctx, nextcloud.Request{
		Op: op, Method: "POST", Path: "/ocs/v2.php/apps/dav/api/v1/direct",
		Body: []byte(body), Type: "application/x-www-form-urlencoded",
	}, &data)
	if err != nil {
		return nil, err
	}
	if data.URL == "" {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud gave no link"}
	}
	return &Link{data.URL, until.UTC()}, nil
}
