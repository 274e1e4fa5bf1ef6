package sharing

import (
	"context"
	"fmt"
	"strings"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// CreateInput is the input of nc_share_create.
type CreateInput struct {
	Path           string  `json:"path" jsonschema:"file or folder"`
	ShareWith      string  `json:"share_with,omitempty" jsonschema:"account, group, address, name@host, team or room, none for a link"`
	ShareType      string  `json:"share_type,omitempty" jsonschema:"user, group, link, mail, federated, team or room, default user"`
	Permissions    string  `json:"permissions,omitempty" jsonschema:"read, edit, create, delete, share, all, or upload only, default read"`
	ExpireDate     *string `json:"expire_date,omitempty" jsonschema:"last day, or none"`
	Password       string  `json:"password,omitempty" jsonschema:"of a link or mail, or generate"`
	PasswordByTalk bool    `json:"password_by_talk,omitempty" jsonschema:"tell it in Talk"`
	Note           string  `json:"note,omitempty" jsonschema:"to the receiver"`
	Label          string  `json:"label,omitempty" jsonschema:"of a link or mail"`
	HideDownload   bool    `json:"hide_download,omitempty" jsonschema:"view only"`
	SendMail       *bool   `json:"send_mail,omitempty" jsonschema:"tell the receiver by mail"`
}

// Created is what making a share came to.
type Created struct {
	Item
	DownloadURL   string   `json:"download_url,omitempty"`
	Password      string   `json:"password,omitempty"` // only when it was generated
	AlreadyShared bool     `json:"already_shared,omitempty"`
	Info          []string `json:"info,omitempty"`
}

var create = tool.New(tool.Def{
	Name:        "nc_share_create",
	Title:       "Share a file or folder",
	Description: "Share with a person, group, team, room, mail address, another server, or by public link. Ask the person before sharing. Find receivers with nc_share_search_recipients.",
	Scope:       scope.SharingWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"path", "share_with", "share_type"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in CreateInput) (*Created, error) {
	d := api.Draft{
		Path: in.Path, With: in.ShareWith, ByTalk: in.PasswordByTalk, Note: in.Note, Label: in.Label,
		HideDownload: in.HideDownload, SendMail: in.SendMail,
	}
	var err error
	if d.Kind, err = api.ParseKind(in.ShareType); err != nil {
		return nil, err
	}
	if err := reading(&d, in.Permissions, in.ExpireDate); err != nil {
		return nil, err
	}
	return share(ctx, shares, d, in.Password)
})

const opCreate = "create the share"

// reading puts permissions and end date into a draft.
func reading(d *api.Draft, permissions string, end *string) (err error) {
	if permissions != "" {
		if d.Permissions, err = api.ParsePermissions(permissions); err != nil {
			return err
		}
	}
	if end != nil {
		d.End, err = api.ParseEnd(opCreate, *end)
	}
	return err
}

// share makes a share and says what the server made of it.
func share(ctx context.Context, shares *api.Client, d api.Draft, password string) (*Created, error) {
	// Whoever gets a folder gets all that is in it.
	if err := tool.CheckTree(ctx, d.Path); err != nil {
		return nil, err
	}
	generated, err := passwordOf(ctx, shares, password)
	if err != nil {
		return nil, err
	}
	d.Password = password
	if generated != "" {
		d.Password = generated
	}
	made, err := shares.Create(ctx, d)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	out := &Created{Item: item(made.Share, me), Password: generated, AlreadyShared: made.Existing}
	if made.Kind == api.Link && made.Permissions&api.Read != 0 && !made.HideDownload {
		out.DownloadURL = made.URL + "/download"
	}
	switch {
	case made.Existing:
		out.Info = append(out.Info, fmt.Sprintf("It was shared with that receiver before, and nothing was changed: %s. nc_share_update changes it.", strings.Join(made.Differs, ", ")))
	case made.Policy != nil:
		out.Info = append(out.Info, linkInfo(made, &d, generated != "")...)
	case made.Expires != "" && d.End.Date == "":
		out.Info = append(out.Info, "Nextcloud set the end date by its own default.")
	}
	if d.End.Rounded && made.Expires != "" {
		out.Info = append(out.Info, "Nextcloud knows dates only: it lasts until the end of that day.")
	}
	if !made.Folder && !made.Existing && (d.Permissions&(api.Create|api.Delete)) != 0 {
		out.Info = append(out.Info, "A single file cannot be shared with create or delete: both were left out.")
	}
	return out, nil
}

// passwordOf generates a password when one is asked for; empty when not.
func passwordOf(ctx context.Context, shares *api.Client, password string) (string, error) {
	if !strings.EqualFold(strings.TrimSpace(password), "generate") {
		return "", nil
	}
	policy, err := shares.Policy(ctx)
	if err != nil {
		return "", err
	}
	return api.GeneratePassword(policy.MinPassword), nil
}

// linkInfo says what protects a link, and what of it the server decided.
func linkInfo(made *api.Made, d *api.Draft, generated bool) []string {
	var out []string
	switch p := made.Policy; {
	case generated:
		out = append(out, "The password was generated and is shown only here.")
	case !made.Password:
		out = append(out, "No password: whoever has the address gets in. This Nextcloud demands none.")
	case d.Password == "":
		out = append(out, "Nextcloud set a password by itself.")
	case p.Password:
		out = append(out, "This Nextcloud demands a password for links.")
	}
	switch x := made.Policy.Expiry; {
	case made.Expires == "":
		out = append(out, "No end date: it stays until somebody removes it. This Nextcloud demands none.")
	case d.End.Date == "":
		out = append(out, fmt.Sprintf("The end date is this Nextcloud's default of %d days.", x.Days))
		if x.Enforced {
			out[len(out)-1] += " No link may last longer."
		}
	case x.Enforced:
		out = append(out, fmt.Sprintf("This Nextcloud lets no link last longer than %d days.", x.Days))
	}
	return out
}

// LinkInput is the input of nc_share_create_public_link.
type LinkInput struct {
	Path             string  `json:"path" jsonschema:"file or folder"`
	ExpiresInMinutes *int    `json:"expires_in_minutes,omitempty" jsonschema:"default 30, up to the end of that day"`
	ExpireDate       *string `json:"expire_date,omitempty" jsonschema:"last day, or none"`
	Permissions      string  `json:"permissions,omitempty" jsonschema:"as in nc_share_create, default read"`
	Password         string  `json:"password,omitempty" jsonschema:"or generate"`
	Label            string  `json:"label,omitempty" jsonschema:"label"`
	Note             string  `json:"note,omitempty" jsonschema:"shown to visitors"`
	HideDownload     bool    `json:"hide_download,omitempty" jsonschema:"view only"`
}

const (
	defaultMinutes = 30
	maxMinutes     = 10 * 365 * 24 * 60
)

var createLink = tool.New(tool.Def{
	Name:        "nc_share_create_public_link",
	Title:       "Create a public link",
	Description: "Make a link that everybody who has it can open. Ask the person first. It lasts whole days, as the server only knows dates.",
	Scope:       scope.SharingWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in LinkInput) (*Created, error) {
	d := api.Draft{Path: in.Path, Kind: api.Link, Label: in.Label, Note: in.Note, HideDownload: in.HideDownload}
	if err := reading(&d, in.Permissions, in.ExpireDate); err != nil {
		return nil, err
	}
	if in.ExpireDate == nil {
		minutes := defaultMinutes
		if in.ExpiresInMinutes != nil {
			minutes = *in.ExpiresInMinutes
		}
		if minutes <= 0 || minutes > maxMinutes {
			return nil, tool.Invalidf("expires_in_minutes has to be between 1 and %d", maxMinutes)
		}
		policy, err := shares.Policy(ctx)
		if err != nil {
			return nil, err
		}
		d.End = endAfter(policy, time.Now(), time.Duration(minutes)*time.Minute)
	} else if in.ExpiresInMinutes != nil {
		return nil, tool.Invalidf("give either expires_in_minutes or expire_date")
	}
	return share(ctx, shares, d, in.Password)
})

// endAfter is the first date whose end is not before now and d.
func endAfter(p *api.Policy, now time.Time, d time.Duration) api.End {
	last := now.Add(d).In(p.Zone)
	if p.Major < 30 {
		// Nextcloud: older versions end a share when its date begins.
		last = last.AddDate(0, 0, 1)
	}
	return api.End{Date: last.Format(time.DateOnly), Rounded: true}
}
