package contract

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/sharing"
)

// receive is the share as the other person has it, who accepts it if need be.
func (d *desk) receive(t *testing.T, id string) *sharing.Share {
	t.Helper()
	s, err := d.other.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if s.State != sharing.Pending {
		return s
	}
	if err := d.other.Accept(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, err = d.other.Get(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return s
}

func sharingUser(t *testing.T, d *desk) {
	made := d.create(t, sharing.Draft{Path: d.folder, Kind: sharing.User, With: d.them, Permissions: sharing.Read | sharing.Edit, Note: "hi", End: inDays(3), SendMail: new(false)})
	if made.With != d.them || made.WithName == "" || made.Permissions != 3 || made.Note != "hi" || made.Expires == "" || made.URL != "" || made.Existing {
		t.Errorf("made %+v", made)
	}
	theirs := d.receive(t, made.ID)
	if theirs.By != d.me || theirs.Owner != d.me || theirs.Path == "" || theirs.Permissions != 3 || theirs.State != "" {
		t.Errorf("theirs %+v", theirs)
	}
	list, err := d.other.WithMe(t.Context(), theirs.Path)
	if err != nil || len(list.Shares) != 1 || list.Shares[0].ID != made.ID {
		t.Errorf("with them: %+v, %v", list, err)
	}
	if _, _, err := d.other.Update(t.Context(), theirs, sharing.Change{Note: new("x")}); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("their change: %v", err)
	}
	all := sharing.All
	after, also, err := d.Update(t.Context(), made.Share, sharing.Change{Permissions: &all})
	if err != nil || after.Permissions != sharing.All || len(also) > 0 {
		t.Errorf("after %+v, %q, %v", after, also, err)
	}
	a, err := d.other.Access(t.Context(), theirs.Path+"/in/a.txt", false)
	if err != nil || a.Owner != d.me || a.Permissions&sharing.Reshare == 0 {
		t.Errorf("their access %+v, %v", a, err)
	}
	// Leaving a share with oneself alone ends it.
	if err := d.other.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), made.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("after they left: %v", err)
	}
}

func sharingTwice(t *testing.T, d *desk) {
	draft := sharing.Draft{Path: d.folder, Kind: sharing.User, With: d.them, SendMail: new(false)}
	first := d.create(t, draft)
	if same := d.create(t, draft); same.ID != first.ID || same.Existing {
		t.Errorf("the same again: %+v", same)
	}
	draft.Permissions, draft.Note = sharing.All, "new"
	again := d.create(t, draft)
	if again.ID != first.ID || !again.Existing || again.Permissions != sharing.Read || len(again.Differs) != 2 {
		t.Errorf("otherwise again: %+v", again)
	}
}

func sharingReshare(t *testing.T, d *desk) {
	made := d.create(t, sharing.Draft{Path: d.folder, Kind: sharing.User, With: d.them, SendMail: new(false)})
	theirs := d.receive(t, made.ID)
	draft := sharing.Draft{Path: theirs.Path, Kind: sharing.Link}
	if got, err := d.other.Create(t.Context(), draft); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("without the right: %+v, %v", got, err)
	}
	if a, err := d.other.Access(t.Context(), theirs.Path+"/in", false); err != nil || a.Owner != d.me || a.Unknown == "" {
		t.Errorf("their access: %+v, %v", a, err)
	}
	if _, err := d.other.Create(t.Context(), sharing.Draft{Path: theirs.Path, Kind: sharing.User, With: d.me}); err == nil {
		t.Error("shared back with the owner")
	}
	p := sharing.Read | sharing.Reshare
	if _, _, err := d.Update(t.Context(), made.Share, sharing.Change{Permissions: &p}); err != nil {
		t.Fatal(err)
	}
	draft.Permissions = sharing.Read | sharing.Edit | sharing.Create
	if got, err := d.other.Create(t.Context(), draft); !errors.Is(err, nextcloud.ErrForbidden) || !strings.Contains(err.Error(), "more than they have") {
		t.Errorf("more than one has: %+v, %v", got, err)
	}
	draft.Permissions = sharing.Read
	link, err := d.other.Create(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.ByMe(t.Context(), d.folder, false)
	if err != nil || !slices.ContainsFunc(list.Shares, func(s *sharing.Share) bool { return s.ID == link.ID && s.By == d.them && s.Owner == d.me }) {
		t.Errorf("the owner sees %+v, %v", list, err)
	}
}

func sharingRecipients(t *testing.T, d *desk) {
	found, err := d.Recipients(t.Context(), d.them, nil, 1, 10)
	if err != nil || len(found.Skipped) > 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if !slices.ContainsFunc(found.Recipients, func(r sharing.Recipient) bool { return r.Kind == sharing.User && r.With == d.them && r.Name != "" }) {
		t.Errorf("no %s among %+v", d.them, found.Recipients)
	}
	found, err = d.Recipients(t.Context(), d.them, []sharing.Kind{sharing.Group}, 1, 10)
	if err != nil || slices.ContainsFunc(found.Recipients, func(r sharing.Recipient) bool { return r.Kind != sharing.Group }) {
		t.Errorf("only groups: %+v, %v", found, err)
	}
	d.create(t, sharing.Draft{Path: d.folder, Kind: sharing.User, With: d.them, SendMail: new(false)})
	found, err = d.Recipients(t.Context(), "", nil, 1, 10)
	if err != nil || !slices.ContainsFunc(found.Recipients, func(r sharing.Recipient) bool { return r.With == d.them }) {
		t.Errorf("frequent: %+v, %v", found, err)
	}
}

// sharingDownload: of a share with a person, hiding the download is an
// attribute beside others, which stay.
func sharingDownload(t *testing.T, d *desk) {
	made := d.create(t, sharing.Draft{Path: d.folder, Kind: sharing.User, With: d.them, HideDownload: true, SendMail: new(false)})
	if !made.HideDownload {
		t.Errorf("made %+v", made.Share)
	}
	shown, also, err := d.Update(t.Context(), made.Share, sharing.Change{HideDownload: new(false)})
	if err != nil || shown.HideDownload || len(also) > 0 {
		t.Errorf("shown %+v, %q, %v", shown, also, err)
	}
	noted, also, err := d.Update(t.Context(), shown, sharing.Change{Note: new("n")})
	if err != nil || noted.HideDownload || noted.Note != "n" || len(also) > 0 {
		t.Errorf("noted %+v, %q, %v", noted, also, err)
	}
}
