package contract

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
	"nextcloud-mcp-server/internal/nextcloud/sharing"
)

func runSharing(t *testing.T, env *Env) {
	if _, err := sharing.New(env.Client(t)).Policy(t.Context()); errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud does not share files")
	}
	for _, part := range []struct {
		name string
		two  bool // it needs a second person
		run  func(t *testing.T, d *desk)
	}{
		{"link", false, sharingLink},
		{"link attributes", false, sharingAttributes},
		{"refusals", false, sharingRefusals},
		{"not there", false, sharingNotThere},
		{"access", false, sharingAccess},
		{"user", true, sharingUser},
		{"twice", true, sharingTwice},
		{"no more than one has", true, sharingReshare},
		{"recipients", true, sharingRecipients},
		{"download", true, sharingDownload},
	} {
		t.Run(part.name, func(t *testing.T) {
			if part.two && env.Other == nil {
				t.Skip("there is no second person")
			}
			part.run(t, newDesk(t, env))
		})
	}
}

// desk is a client with a folder of its own that vanishes with the test, and
// with its shares. It holds the folder "in" with the file "a.txt".
type desk struct {
	*sharing.Client
	nc     *nextcloud.Client
	other  *sharing.Client
	them   string // account of the other person
	folder string
	me     string
}

func newDesk(t *testing.T, env *Env) *desk {
	t.Helper()
	nc := env.Client(t)
	d := &desk{Client: sharing.New(nc), nc: nc, folder: "/" + unique("Contract shares")}
	var err error
	if d.me, err = d.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	if env.Other != nil {
		d.other = sharing.New(env.Other(t))
		if d.them, err = d.other.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { d.file(context.WithoutCancel(t.Context()), t, http.MethodDelete, d.folder, "") })
	d.file(t.Context(), t, "MKCOL", d.folder, "")
	d.file(t.Context(), t, "MKCOL", d.folder+"/in", "")
	d.file(t.Context(), t, http.MethodPut, d.folder+"/in/a.txt", "text")
	return d
}

func (d *desk) file(ctx context.Context, t *testing.T, method, name, body string) {
	t.Helper()
	target, err := nextcloud.PathTree(dav.Root+"/files/"+d.me, name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.nc.Do(ctx, nextcloud.Request{Op: method, Method: method, Path: target, Body: []byte(body), Accept: "*/*"})
	if err != nil {
		t.Errorf("%s %s: %v", method, name, err)
	}
}

func (d *desk) create(t *testing.T, draft sharing.Draft) *sharing.Made {
	t.Helper()
	made, err := d.Create(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (d *desk) get(t *testing.T, id string) *sharing.Share {
	t.Helper()
	s, err := d.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const strongPassword = "Kor7elle-Wassermann-22"

// inDays is a date from now on.
func inDays(n int) sharing.End {
	return sharing.End{Date: time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly)}
}

func sharingLink(t *testing.T, d *desk) {
	policy, err := d.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !policy.Links || policy.Major < 28 {
		t.Skipf("no links here: %+v", policy)
	}
	end := inDays(5)
	made := d.create(t, sharing.Draft{
		Path: d.folder, Kind: sharing.Link, Permissions: sharing.Read | sharing.Edit | sharing.Create | sharing.Delete,
		Password: strongPassword, End: end, Label: "for the team", Note: "Grüße & <b>",
	})
	switch {
	case made.Kind != sharing.Link, made.Path != d.folder, !made.Folder, made.With != "", made.By != d.me, made.Owner != d.me:
		t.Errorf("made %+v", made.Share)
	case made.Permissions.Of(made.Kind) != 15, !made.Password, made.Label != "for the team", made.Note != "Grüße & <b>":
		t.Errorf("made %+v", made.Share)
	case !strings.HasPrefix(made.Expires, end.Date), !strings.Contains(made.URL, "/s/"+made.Token), made.Token == "":
		t.Errorf("made %+v", made.Share)
	case time.Since(made.Created).Abs() > time.Hour:
		t.Errorf("made at %v", made.Created)
	}
	drop := d.create(t, sharing.Draft{Path: d.folder, Kind: sharing.Link, Permissions: sharing.UploadOnly, HideDownload: true})
	if drop.Permissions != sharing.UploadOnly || !drop.HideDownload || drop.Password {
		t.Errorf("file drop %+v", drop.Share)
	}
	file := d.create(t, sharing.Draft{Path: d.folder + "/in/a.txt", Kind: sharing.Link})
	if file.Permissions.Of(file.Kind) != sharing.Read || file.Folder {
		t.Errorf("file %+v", file.Share)
	}
	list, err := d.ByMe(t.Context(), d.folder, false)
	if err != nil || len(list.Shares) != 2 || len(list.Skipped) > 0 {
		t.Errorf("of the folder: %+v, %v", list, err)
	}
	list, err = d.ByMe(t.Context(), d.folder+"/in", true)
	if err != nil || len(list.Shares) != 1 || list.Shares[0].ID != file.ID {
		t.Errorf("below: %+v, %v", list, err)
	}
	list, err = d.ByMe(t.Context(), "", false)
	if err != nil || !slices.ContainsFunc(list.Shares, func(s *sharing.Share) bool { return s.ID == made.ID && s.Path == d.folder }) {
		t.Errorf("all: %+v, %v", list, err)
	}
	if err := d.Delete(t.Context(), made.Share); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), made.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("after the end: %v", err)
	}
}

// sharingAttributes changes each attribute alone and finds the others as they
// were.
func sharingAttributes(t *testing.T, d *desk) {
	made := d.create(t, sharing.Draft{
		Path: d.folder, Kind: sharing.Link, Password: strongPassword, End: inDays(5), Label: "label", Note: "note",
	})
	for name, change := range map[string]sharing.Change{
		"permissions":     {Permissions: new(sharing.UploadOnly)},
		"end":             {End: new(inDays(9))},
		"no end":          {End: &sharing.End{Never: true}},
		"note":            {Note: new("")},
		"label":           {Label: new("other")},
		"password":        {Password: new("")},
		"hidden download": {HideDownload: new(true)},
		"shown download":  {HideDownload: new(false)},
	} {
		before := d.get(t, made.ID)
		after, also, err := d.Update(t.Context(), before, change)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(also) > 0 {
			t.Errorf("%s changed more: %q", name, also)
		}
		if read := d.get(t, made.ID); read.Note != after.Note || read.Label != after.Label || read.Expires != after.Expires ||
			read.Permissions != after.Permissions || read.Password != after.Password || read.HideDownload != after.HideDownload || read.URL != before.URL {
			t.Errorf("%s: told %+v\nread %+v", name, after, read)
		}
	}
	last := d.get(t, made.ID)
	if last.Permissions != sharing.UploadOnly || last.Note != "" || last.Label != "other" || last.Password {
		t.Errorf("in the end %+v", last)
	}
	if _, _, err := d.Update(t.Context(), last, sharing.Change{Password: new("123")}); !errors.Is(err, nextcloud.ErrInvalid) && err != nil {
		t.Errorf("weak password: %v", err)
	}
	if _, _, err := d.Update(t.Context(), last, sharing.Change{}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("nothing to change: %v", err)
	}
}

func sharingRefusals(t *testing.T, d *desk) {
	for name, c := range map[string]struct {
		draft sharing.Draft
		kind  error
	}{
		"missing file":               {sharing.Draft{Path: d.folder + "/nope", Kind: sharing.User, With: "nobody-" + d.me}, nextcloud.ErrNotFound},
		"unknown user":               {sharing.Draft{Path: d.folder, Kind: sharing.User, With: "nobody-" + d.me}, nextcloud.ErrInvalid},
		"unknown group":              {sharing.Draft{Path: d.folder, Kind: sharing.Group, With: "nobody-" + d.me}, nextcloud.ErrInvalid},
		"oneself":                    {sharing.Draft{Path: d.folder, Kind: sharing.User, With: d.me}, nextcloud.ErrInvalid},
		"the root":                   {sharing.Draft{Path: "/", Kind: sharing.Link}, nextcloud.ErrInvalid},
		"a link for one":             {sharing.Draft{Path: d.folder, Kind: sharing.Link, With: "admin"}, nextcloud.ErrInvalid},
		"the past":                   {sharing.Draft{Path: d.folder, Kind: sharing.Link, End: sharing.End{Date: "2001-01-01"}}, nextcloud.ErrInvalid},
		"yesterday":                  {sharing.Draft{Path: d.folder, Kind: sharing.Link, End: inDays(-1)}, nextcloud.ErrInvalid},
		"a file drop that is a file": {sharing.Draft{Path: d.folder + "/in/a.txt", Kind: sharing.Link, Permissions: sharing.UploadOnly}, nextcloud.ErrInvalid},
	} {
		made, err := d.Create(t.Context(), c.draft)
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %+v, %v", name, made, err)
		}
	}
	list, err := d.ByMe(t.Context(), d.folder, false)
	if err != nil || len(list.Shares) != 0 {
		t.Errorf("shared all the same: %+v, %v", list, err)
	}
}

func sharingNotThere(t *testing.T, d *desk) {
	const id = "2000000000"
	gone := &sharing.Share{ID: id, Kind: sharing.Link}
	_, getErr := d.Get(t.Context(), id)
	_, remoteErr := d.Get(t.Context(), "remote:"+id)
	_, leftErr := d.Get(t.Context(), "ocinternal:"+id)
	_, listErr := d.ByMe(t.Context(), d.folder+"/nope", false)
	_, withErr := d.WithMe(t.Context(), d.folder+"/nope")
	_, accessErr := d.Access(t.Context(), d.folder+"/nope", false)
	for op, err := range map[string]error{
		"get": getErr, "get remote": remoteErr, "get left": leftErr, "delete": d.Delete(t.Context(), gone), "list": listErr, "with me": withErr, "access": accessErr,
	} {
		if !errors.Is(err, nextcloud.ErrNotFound) || errors.Is(err, nextcloud.ErrAppMissing) {
			t.Errorf("%s: %v", op, err)
		}
	}
	for _, bad := range []string{"", "x", "1/2", "../1", "remote:x", "1?"} {
		if _, err := d.Get(t.Context(), bad); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for name, list := range map[string]func(context.Context) (*sharing.List, error){"pending": d.Pending, "left": d.Left} {
		if got, err := list(t.Context()); err != nil || len(got.Skipped) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := d.WithMe(t.Context(), ""); err != nil || len(got.Skipped) > 0 {
		t.Errorf("with me: %+v, %v", got, err)
	}
}

func sharingAccess(t *testing.T, d *desk) {
	above := d.create(t, sharing.Draft{Path: d.folder, Kind: sharing.Link})
	direct := d.create(t, sharing.Draft{Path: d.folder + "/in/a.txt", Kind: sharing.Link})
	a, err := d.Access(t.Context(), d.folder+"/in/a.txt", false)
	if err != nil {
		t.Fatal(err)
	}
	if a.Owner != d.me || a.Folder || a.Permissions&(sharing.Read|sharing.Edit|sharing.Reshare) != sharing.Read|sharing.Edit|sharing.Reshare || a.Unknown != "" {
		t.Errorf("%+v", a)
	}
	if len(a.Direct) != 1 || a.Direct[0].ID != direct.ID || len(a.Above) != 1 || a.Above[0].ID != above.ID || a.Above[0].Via != d.folder {
		t.Errorf("direct %+v, above %+v", a.Direct, a.Above)
	}
	a, err = d.Access(t.Context(), d.folder+"/in", true)
	if err != nil || !a.Folder || len(a.Below) != 1 || a.Below[0].ID != direct.ID || a.Permissions&sharing.Create == 0 {
		t.Errorf("%+v, %v", a, err)
	}
}
