package sharing

import (
	"strings"
	"testing"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

func TestLink(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	var made Created
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_type", 3, "permissions", "read, edit, create, delete", "label", "Team", "password", "long-enough-1", "expire_date", "2999-01-31T12:00"), &made)
	if made.Type != "link" || made.Permissions != "read, edit, create, delete" || made.PermissionBits != 31 || made.Label != "Team" || !made.HasPassword || made.Password != "" ||
		made.Expires != "2999-01-31T23:59:59" || !strings.HasPrefix(made.URL, "https://cloud.example/s/") || made.DownloadURL != made.URL+"/download" || made.ShareWith != "" {
		t.Errorf("made %+v", made)
	}
	contains(t, strings.Join(made.Info, " "), "dates only")
	made = Created{}
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "permissions", "upload only", "hide_download", true), &made)
	if made.Permissions != "upload only" || made.PermissionBits != 4 || made.DownloadURL != "" || !made.HideDownload {
		t.Errorf("file drop %+v", made)
	}
	contains(t, strings.Join(made.Info, " "), "No password: whoever has the address gets in. This Nextcloud demands none.", "No end date")
	made = Created{}
	w.alice.Read(t, "nc_share_create_public_link", args("path", "/Plans/budget.txt", "password", "generate"), &made)
	if len(made.Password) < 20 || !made.HasPassword || made.Permissions != "read" {
		t.Errorf("generated %+v", made)
	}
	contains(t, strings.Join(made.Info, " "), "shown only here", "until the end of that day")
	end, err := time.Parse("2006-01-02T15:04:05", made.Expires)
	if left := time.Until(end); err != nil || left < 29*time.Minute || left > 25*time.Hour {
		t.Errorf("it lasts %v, %v", left, err)
	}
}

// TestNoLinkByMistake: nothing becomes public that was not asked to be.
func TestNoLinkByMistake(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	w.alice.Requests()
	for call, words := range map[string]string{
		args("path", "/Plans", "share_type", 3, "share_with", "bob"):                  "leave the receiver out",
		args("path", "/Plans", "share_type", "link", "share_with", "eve@example.com"): "leave the receiver out",
		args("path", "/Plans"):                                                                  "needs to know with whom",
		args("path", "/Plans", "share_type", "mail"):                                            "needs to know with whom",
		args("path", "/Plans", "share_with", " "):                                               "needs to know with whom",
		args("path", "/Plans", "share_type", "publc"):                                           "no type of share",
		args("path", "/Plans", "share_type", 12, "share_with", "4"):                             "Deck",
		args("path", "/Plans", "share_with", "alice"):                                           "nobody can share with themselves",
		args("path", "/", "share_with", "bob"):                                                  "root",
		args("path", "/Plans/../Private", "share_with", "bob"):                                  "is not a name",
		args("path", `\Plans`, "share_with", "bob"):                                             "holds the character",
		args("path", "/Plans", "share_with", "bob", "permissions", "rwx"):                       "are no permissions",
		args("path", "/Plans", "share_with", "bob", "permissions", 0):                           "are no permissions",
		args("path", "/Plans", "share_with", "bob", "permissions", 32):                          "are no permissions",
		args("path", "/Plans", "share_with", "bob", "expire_date", "2001-01-01"):                "in the past",
		args("path", "/Plans", "share_with", "bob", "expire_date", "soon"):                      "no end date",
		args("path", "/Plans", "share_with", "bob", "password", "secret"):                       "whoever gets it signs in",
		args("path", "/Plans", "share_type", "mail", "share_with", "eve"):                       "no e-mail address",
		args("path", "/Plans", "share_type", "federated", "share_with", "eve"):                  "name@host",
		args("path", "/Plans", "share_type", "link", "permissions", "10"):                       "able to read",
		args("path", "/Plans", "share_type", "link", "label", strings.Repeat("x", 256)):         "255 bytes",
		args("path", "/Plans", "share_type", "link", "password_by_talk", true):                  "has to be set",
		args("path", "/Plans", "share_with", "bob", "share_type", "user", "label", "x"):         "not to type user",
		args("path", "/Plans", "share_type", "group", "share_with", "staff", "password", "abc"): "not to type group",
	} {
		contains(t, w.alice.Refused(t, "nc_share_create", call), words)
	}
	for call, words := range map[string]string{
		args("path", "/Plans", "expires_in_minutes", 0):                               "between 1 and",
		args("path", "/Plans", "expires_in_minutes", -5):                              "between 1 and",
		args("path", "/Plans", "expires_in_minutes", 5, "expire_date", "2999-01-01"):  "either",
		args("path", "/Plans", "expire_date", "2001-01-01"):                           "in the past",
		args("path", "/Plans", "expire_date", "none", "permissions", "edit, frobnic"): "are no permissions",
	} {
		contains(t, w.alice.Refused(t, "nc_share_create_public_link", call), words)
	}
	if n := w.alice.Requests(); n != 0 {
		t.Errorf("%d requests for what is refused", n)
	}
	var page Page
	if w.alice.Read(t, "nc_share_list", args(), &page); page.Total != 0 {
		t.Errorf("shared all the same: %+v", page)
	}
}

// TestServerSays are refusals that only the server can give, in words that help.
func TestServerSays(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	w.share(t, args("path", "/Plans", "share_type", "mail", "share_with", "eve@example.com"))
	for call, words := range map[string]string{
		args("path", "/Nowhere", "share_with", "bob"):                                          `no file or folder "/Nowhere"`,
		args("path", "/Plans", "share_with", "nobody"):                                         "valid account",
		args("path", "/Plans", "share_type", "group", "share_with", "nobody"):                  "search for recipients",
		args("path", "/Plans", "share_type", "team", "share_with", "nobody"):                   "most likely there is none",
		args("path", "/Plans", "share_type", "room", "share_with", "nobody"):                   "Conversation not found",
		args("path", "/Plans", "share_type", "mail", "share_with", "eve@example.com"):          "shared with this address already",
		args("path", "/Plans", "share_type", "federated", "share_with", "eve@nowhere.invalid"): "other server does not answer",
		args("path", "/Plans", "share_type", "link", "password", "123"):                        "at least 10 characters",
		args("path", "/Plans/budget.txt", "share_type", "link", "permissions", "upload only"):  "READ or CREATE",
	} {
		contains(t, w.alice.Refused(t, "nc_share_create", call), words)
	}
}

// TestPolicy: a link is made only as the administrator allows, and the answer
// says what was decided.
func TestPolicy(t *testing.T) {
	strict := nextcloudtest.SharingPolicy{EnforceLinkPassword: true, LinkExpireDays: 7, EnforceLinkExpiry: true, InternalExpireDays: 30}
	w := newWorld(t, strict)
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link")), "demands a password", "generate")
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "mail", "share_with", "eve@example.com")), "demands a password")
	contains(t, w.alice.Refused(t, "nc_share_create_public_link", args("path", "/Plans")), "demands a password")
	const pw = "long-enough-1"
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "password", pw, "expire_date", "none")), "demands an end date")
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "password", pw, "expire_date", "2999-01-01")), "7 days at most")
	var made Created
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "password", pw), &made)
	contains(t, strings.Join(made.Info, " "), "demands a password", "default of 7 days", "No link may last longer")
	if made.Expires == "" {
		t.Errorf("made %+v", made)
	}
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", made.ShareID, "password", "")), "demands a password")
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", made.ShareID, "expire_date", "none")), "demands an end date")
	made = Created{}
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_with", "bob"), &made)
	contains(t, strings.Join(made.Info, " "), "set the end date by its own default")
	made = Created{}
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_with", "admin", "expire_date", "none"), &made)
	if made.Expires != "" || made.Info != nil {
		t.Errorf("without an end: %+v", made)
	}

	w = newWorld(t, nextcloudtest.SharingPolicy{NoPublicUpload: true})
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "permissions", "upload only")), "lets links only read")
	w = newWorld(t, nextcloudtest.SharingPolicy{NoLinks: true})
	contains(t, w.alice.Refused(t, "nc_share_create_public_link", args("path", "/Plans")), "switched off links")
	w = newWorld(t, nextcloudtest.SharingPolicy{Disabled: true})
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_with", "bob")), "switched sharing off")
	w = newWorld(t, nextcloudtest.SharingPolicy{RateLimit: true})
	for range 20 {
		w.share(t, args("path", "/Plans", "share_type", "link"))
	}
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link")), "20 shares in 10 minutes")
}

func TestUpdateLink(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{CustomTokens: true})
	id := w.share(t, args("path", "/Plans", "share_type", "link", "label", "Team", "note", "hello", "password", "long-enough-1", "expire_date", "2999-01-31", "hide_download", true))
	var before, after Item
	w.alice.Read(t, "nc_share_get", args("share_id", id), &before)
	for _, c := range []struct {
		change string
		undo   string
	}{
		{args("share_id", id, "permissions", "upload only"), `permissions="read"`},
		{args("share_id", id, "label", ""), `label="Team"`},
		{args("share_id", id, "note", "other"), `note="hello"`},
		{args("share_id", id, "expire_date", "none"), `expire_date="2999-01-31"`},
		{args("share_id", id, "hide_download", false), `hide_download=true`},
		{args("share_id", id, "link_token", "our-plans"), `link_token=`},
		{args("share_id", id, "password_by_talk", true), `password_by_talk=false`},
	} {
		var changed Updated
		w.alice.Read(t, "nc_share_update", c.change, &changed)
		contains(t, changed.Undo, c.undo)
		if changed.AlsoChanged != nil {
			t.Errorf("%s also changed %q", c.change, changed.AlsoChanged)
		}
		name, call := undoCall(t, changed.Undo)
		w.alice.Read(t, name, call, nil)
		after = Item{}
		w.alice.Read(t, "nc_share_get", args("share_id", id), &after)
		if after != before {
			t.Errorf("%s and back by %s:\nwas %+v\nis  %+v", c.change, changed.Undo, before, after)
		}
	}
	var changed Updated
	w.alice.Read(t, "nc_share_update", args("share_id", id, "password", "generate"), &changed)
	if changed.Password == "" || !changed.HasPassword {
		t.Errorf("%+v", changed)
	}
	contains(t, changed.Undo, "cannot be brought back")
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", id)), "nothing to change")
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", id, "link_token", "ä")), "letters, numbers, or a hyphen")
	w = newWorld(t, nextcloudtest.SharingPolicy{})
	id = w.share(t, args("path", "/Plans/budget.txt", "share_type", "link"))
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", id, "link_token", "x")), "administrator")
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", id, "permissions", "delete")), "single file")
	contains(t, w.alice.Refused(t, "nc_share_update", args("share_id", "99", "note", "x")), "not found")
}

func TestEndAfter(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 11, 28, 22, 50, 0, 0, time.UTC)
	for _, c := range []struct {
		policy api.Policy
		d      time.Duration
		want   string
	}{
		{api.Policy{Major: 34, Zone: time.UTC}, 30 * time.Minute, "2026-11-28"},
		{api.Policy{Major: 34, Zone: time.UTC}, 90 * time.Minute, "2026-11-29"},
		{api.Policy{Major: 34, Zone: berlin}, 30 * time.Minute, "2026-11-29"},
		{api.Policy{Major: 29, Zone: time.UTC}, 30 * time.Minute, "2026-11-29"},
	} {
		if got := endAfter(&c.policy, late, c.d); got.Date != c.want {
			t.Errorf("%+v: %s, want %s", c, got.Date, c.want)
		}
	}
}
