package sharing

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Access is who can reach a file or folder.
type Access struct {
	Path        string
	Folder      bool
	Owner       string // account; empty when not told
	OwnerName   string
	Permissions Permissions // of this person
	Direct      []*Share    // of the file or folder itself
	Above       []*Share    // of folders that it lies in, see Share.Via
	Below       []*Share    // of what lies directly in it, when asked for
	Skipped     []string
	// Unknown is why the shares of the folders above are not known; empty when
	// they are.
	Unknown string
}

// Names of what is asked of a file.
var (
	propOwner       = dav.Name(dav.NSOwnCloud, "owner-id")
	propOwnerName   = dav.Name(dav.NSOwnCloud, "owner-display-name")
	propLetters     = dav.Name(dav.NSOwnCloud, "permissions")
	propPermissions = dav.Name("http://open-collaboration-services.org/ns", "share-permissions")
	propType        = dav.Name(dav.NSDAV, "resourcetype")
)

// Access finds out who can reach a path and through which shares: its own and
// those of the folders above it; with below also those of what lies directly in
// it.
func (c *Client) Access(ctx context.Context, path string, below bool) (*Access, error) {
	const op = "find out who has access"
	clean, err := CleanPath(op, path)
	if err != nil {
		return nil, err
	}
	if clean == "/" {
		// Nextcloud: asked for the folders above the root, it does not come back.
		return nil, invalid(op, "the root of all files cannot be shared: give a file or folder in it")
	}
	a := &Access{Path: clean}
	if err := c.node(ctx, op, a); err != nil {
		return nil, err
	}
	direct, err := c.ByMe(ctx, clean, false)
	if err != nil {
		return nil, err
	}
	a.take(&a.Direct, direct)
	above, err := c.list(ctx, op, "/shares/inherited", url.Values{"path": {clean}})
	switch {
	case err == nil:
		a.take(&a.Above, above)
	case a.Permissions&Reshare == 0 && a.Permissions != 0 && answered(err):
		// Nextcloud: whoever may not share the file on gets an error of the
		// server here.
		a.Unknown = "this person may not share it on, and is not told who else has access"
	default:
		return nil, err
	}
	if below && a.Folder {
		inside, err := c.ByMe(ctx, clean, true)
		if err != nil {
			return nil, err
		}
		a.take(&a.Below, inside)
	}
	return a, nil
}

// answered reports whether a failure is an answer of the server, and no failure
// on the way to it.
func answered(err error) bool {
	e, ok := errors.AsType[*nextcloud.Error](err)
	return ok && e.OCS != 0 && !errors.Is(err, nextcloud.ErrMaintenance) && !errors.Is(err, nextcloud.ErrUnauthenticated)
}

func (a *Access) take(into *[]*Share, list *List) {
	*into = list.Shares
	for _, s := range list.Skipped {
		a.Skipped = append(a.Skipped, strings.TrimSpace(fmt.Sprintf("%s %s", s.ID, s.Why)))
	}
}

// node asks WebDAV whose a file is and what this person may do with it.
func (c *Client) node(ctx context.Context, op string, a *Access) error {
	me, err := c.nc.UserID(ctx)
	if err != nil {
		return err
	}
	home, err := nextcloud.Path(dav.Root+"/files", string(me))
	if err != nil {
		return err
	}
	target, err := nextcloud.PathTree(home, a.Path)
	if err != nil {
		return err
	}
	ms, err := dav.New(c.nc).Propfind(ctx, dav.Query{Op: op, Path: target}, propOwner, propOwnerName, propLetters, propPermissions, propType)
	if err != nil {
		return missingPath(err, a.Path)
	}
	if len(ms.Responses) == 0 {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud said nothing of the file"}
	}
	r := &ms.Responses[0]
	prop := func(name xml.Name) string { return r.Prop(name).String() }
	a.Owner, a.OwnerName, a.Folder = prop(propOwner), prop(propOwnerName), r.Prop(propType).Has(dav.Name(dav.NSDAV, "collection"))
	if n, err := strconv.Atoi(prop(propPermissions)); err == nil {
		a.Permissions = Permissions(n) & All
	} else {
		a.Permissions = letters(prop(propLetters))
	}
	return nil
}

// letters reads what WebDAV says of a person's permissions (Nextcloud:
// DavUtil::getDavPermissions). What is there may be read.
func letters(text string) Permissions {
	if text == "" {
		return 0
	}
	p := Read
	for _, l := range text {
		switch l {
		case 'W', 'N': // write into a file; rename
			p |= Edit
		case 'C', 'K':
			p |= Create
		case 'D':
			p |= Delete
		case 'R':
			p |= Reshare
		}
	}
	return p
}
