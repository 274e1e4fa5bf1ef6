package sharing

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// wireRemote is an incoming federated share on the wire (Nextcloud:
// Files_SharingRemoteShare).
type wireRemote struct {
	ID          lenient.Text `json:"id"`
	Remote      lenient.Text `json:"remote"`
	Name        lenient.Text `json:"name"`
	Owner       lenient.Text `json:"owner"`
	Mountpoint  lenient.Text `json:"mountpoint"`
	Accepted    lenient.Int  `json:"accepted"`
	Permissions lenient.Int  `json:"permissions"`
	Type        lenient.Text `json:"type"`
}

// Check implements lenient.Checker.
func (w *wireRemote) Check() error {
	if w.ID == "" {
		return lenient.NoID()
	}
	return nil
}

func (w *wireRemote) share() *Share {
	host := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(string(w.Remote), "https://"), "http://"), "/")
	s := &Share{
		ID: remoteMark + string(w.ID), Kind: Federated, Remote: true, Path: string(w.Mountpoint), Folder: w.Type == "dir" || w.Type == "folder",
		Permissions: Permissions(w.Permissions) & All, By: string(w.Owner) + "@" + host, Owner: string(w.Owner) + "@" + host, canDelete: true,
	}
	if w.Accepted == 0 {
		s.State, s.Permissions = Pending, 0
	}
	// Nextcloud: until it is accepted the mount point is a template.
	if w.Accepted == 0 || strings.HasPrefix(s.Path, "{{") {
		s.Path = path.Join("/", string(w.Name))
	}
	return s
}

// remote lists incoming federated shares; below is "" for those in effect and
// "/pending" for those that wait.
func (c *Client) remote(ctx context.Context, below string) (*List, error) {
	var wire lenient.List[wireRemote]
	err := c.nc.OCS(ctx, nextcloud.Request{Op: "list shares of other servers", Path: apiPath + "/remote_shares" + below}, &wire)
	if err != nil {
		return nil, err
	}
	out := &List{Skipped: wire.Skipped}
	for i := range wire.Items {
		out.Shares = append(out.Shares, wire.Items[i].share())
	}
	return out, nil
}

func (c *Client) getRemote(ctx context.Context, op, number string) (*Share, error) {
	var wire lenient.List[wireRemote]
	err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: apiPath + "/remote_shares/" + number}, &oneOf[wireRemote]{&wire})
	switch {
	case err != nil:
		return nil, err
	case len(wire.Items) != 1:
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud did not answer with one share"}
	}
	return wire.Items[0].share(), nil
}

// oneOf reads one item that comes alone or as a list of one, which is how the
// share API answers to an id.
type oneOf[T any] struct{ list *lenient.List[T] }

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOf[T]) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); data[0] != '[' {
		data = append(append([]byte{'['}, data...), ']')
	}
	return json.Unmarshal(data, o.list)
}
