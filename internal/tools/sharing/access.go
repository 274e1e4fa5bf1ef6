package sharing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// AccessInput is the input of nc_share_explain_access.
type AccessInput struct {
	Path  string `json:"path" jsonschema:"file or folder"`
	Below bool   `json:"below,omitempty" jsonschema:"also shares of what lies directly in the folder"`
}

// Access is the outcome of nc_share_explain_access.
type Access struct {
	Path    string   `json:"path,omitempty"`
	Item    string   `json:"item,omitempty"`
	Owner   string   `json:"owner,omitempty"`
	You     string   `json:"you,omitempty"`
	Items   []Reach  `json:"items"`
	Below   []Item   `json:"below,omitempty"`
	Info    []string `json:"info,omitempty"`
	Skipped []string `json:"skipped,omitempty"`
}

// Reach is one who can reach the file, and why.
type Reach struct {
	Type        string   `json:"type"`
	ShareWith   string   `json:"share_with,omitempty"`
	Name        string   `json:"name,omitempty"`
	Permissions string   `json:"permissions"`
	Why         []string `json:"why"`
	ShareIDs    []string `json:"share_ids,omitempty"`
	URL         string   `json:"url,omitempty"`
	HasPassword bool     `json:"has_password,omitempty"`
	Expires     string   `json:"expires,omitempty"`
}

var access = tool.New(tool.Def{
	Name:        "nc_share_explain_access",
	Title:       "Explain who has access",
	Description: "Say who can reach a file or folder, with what permissions, and through which share of it or of a folder above.",
	Scope:       scope.SharingRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in AccessInput) (*Access, error) {
	if err := tool.CheckPath(ctx, in.Path); err != nil {
		return nil, err
	}
	may, err := tool.PathFilter(ctx)
	if err != nil {
		return nil, err
	}
	a, err := shares.Access(ctx, in.Path, in.Below)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	out := &Access{Path: a.Path, Item: kind(a.Folder), Owner: a.Owner, Items: reaches(may, a), Skipped: a.Skipped}
	out.You = a.Permissions.String()
	if a.Owner == me {
		out.You = "owner"
	}
	for _, s := range a.Below {
		if may(s.Path) {
			out.Below = append(out.Below, item(s, me))
		}
	}
	if a.Unknown != "" {
		out.Info = append(out.Info, a.Unknown)
	}
	if a.Owner != "" && a.Owner != me {
		out.Info = append(out.Info, cmp.Or(a.OwnerName, a.Owner)+" owns it and may have shared it with others whom this person does not see")
	}
	return out, nil
})

// reaches joins the shares of each receiver: whoever has several may do what
// any of them allows. Links stay apart, each has an address of its own.
func reaches(may func(path string) bool, a *api.Access) []Reach {
	type key struct {
		kind api.Kind
		with string
	}
	var keys []key
	all := map[key][]*api.Share{}
	for _, s := range slices.Concat(a.Direct, a.Above) {
		k := key{s.Kind, s.With}
		if s.Kind == api.Link {
			k.with = s.ID
		}
		if all[k] == nil {
			keys = append(keys, k)
		}
		all[k] = append(all[k], s)
	}
	out := []Reach{}
	for _, k := range keys {
		out = append(out, reach(may, a, all[k]))
	}
	return out
}

func reach(may func(path string) bool, a *api.Access, shares []*api.Share) Reach {
	first := shares[0]
	r := Reach{Type: first.Kind.String(), ShareWith: first.With, HasPassword: true}
	if first.WithName != first.With {
		r.Name = first.WithName
	}
	var permissions api.Permissions
	endless := false
	for _, s := range shares {
		permissions |= s.Permissions
		why := fmt.Sprintf("this %s is shared by %s", kind(a.Folder), s.By)
		if s.Via != "" {
			why = fmt.Sprintf("the folder %s is shared by %s", s.Via, s.By)
		}
		r.Why = append(r.Why, why)
		// What belongs to a folder that the connection may not reach can be
		// told of, and not used.
		if s.Via == "" || may(s.Via) {
			r.ShareIDs = append(r.ShareIDs, s.ID)
			r.URL = cmp.Or(r.URL, s.URL)
		}
		r.HasPassword = r.HasPassword && s.Password
		endless = endless || s.Expires == ""
		r.Expires = max(r.Expires, s.Expires)
	}
	if endless {
		r.Expires = ""
	}
	if !a.Folder {
		permissions &^= api.Create
	}
	r.Permissions = permissions.Of(first.Kind).String()
	return r
}
