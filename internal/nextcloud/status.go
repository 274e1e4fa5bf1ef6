package nextcloud

import (
	"context"
	"strings"
)

// Status is what status.php says to anybody.
type Status struct {
	Version     string // as people read it: "34.0.1"
	Maintenance bool
	Product     string // "Nextcloud", or what the theme calls it
}

// Status asks status.php, which needs no credentials.
func (h *Host) Status(ctx context.Context) (*Status, error) {
	const op = "ask Nextcloud for its status"
	var body struct {
		Installed   bool   `json:"installed"`
		Maintenance bool   `json:"maintenance"`
		Version     string `json:"versionstring"`
		Product     string `json:"productname"`
	}
	c := New(h, Anonymous{}, nil)
	res, err := c.JSON(ctx, Request{Op: op, Path: "/status.php", MaxBody: 64 << 10}, &body)
	if err != nil {
		return nil, err
	}
	if body.Version == "" || !body.Installed {
		return nil, &Error{Op: op, Kind: ErrBadAnswer, Status: res.Status, Message: "this is no Nextcloud that is set up: check NEXTCLOUD_HOST"}
	}
	return &Status{Version: strings.TrimSpace(body.Version), Maintenance: body.Maintenance, Product: body.Product}, nil
}
