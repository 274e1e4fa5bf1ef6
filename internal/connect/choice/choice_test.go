package choice_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/connect/choice"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

func TestOffered(t *testing.T) {
	for asked, want := range map[string]string{
		"":                                       "",
		"openid profile email offline_access":    "",
		"notes.read":                             "notes.read",
		"notes.write":                            "notes.read notes.write",
		"mail.send mail.write notes.read openid": "mail.read mail.write mail.send notes.read",
		"strange":                                "",
	} {
		var got []string
		for _, s := range choice.Offered(scope.Parse(asked)) {
			got = append(got, string(s))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Offered(%q) = %q, want %q", asked, got, want)
		}
	}
}

func TestAreas(t *testing.T) {
	asked := scope.Parse("mail.send notes.write")
	c := choice.First(scope.Parse("notes.read"), nil, time.Now())
	want := []pages.ConsentArea{
		{Area: "mail", Switches: []pages.Switch{{Scope: "mail.send", Right: "send"}}},
		{Area: "notes", Switches: []pages.Switch{{Scope: "notes.read", Right: "read", On: true}, {Scope: "notes.write", Right: "write"}}},
	}
	if diff := cmp.Diff(want, c.Areas(choice.Offered(asked))); diff != "" {
		t.Error(diff)
	}
}

func TestDecide(t *testing.T) {
	known := func(scopes string, p policy.Policy) *store.Grant {
		return &store.Grant{Scopes: scope.Parse(scopes), Policy: p}
	}
	for _, tt := range []struct {
		name    string
		asked   string
		ticked  string
		known   *store.Grant
		granted string
		scopes  string
		refused string
	}{
		{"all", "notes.read notes.write", "notes.read notes.write", nil, "notes.read notes.write", "notes.read notes.write", ""},
		{"writing means reading", "notes.read notes.write", "notes.write", nil, "notes.read notes.write", "notes.read notes.write", ""},
		{"less than the asked scope", "notes.write", "notes.read", nil, "notes.read", "notes.read", "notes.write"},
		{"identity scopes go along", "openid notes.read calendar.read", "calendar.read", nil, "calendar.read openid", "calendar.read openid", "notes.read"},
		{"what is not asked stays granted", "notes.read", "notes.read", known("calendar.read calendar.write", policy.Policy{}), "notes.read", "calendar.read calendar.write notes.read", ""},
		{"what is asked again may be taken away", "notes.read notes.write", "notes.read", known("notes.read notes.write files.read", policy.Policy{}), "notes.read", "files.read notes.read", "notes.write"},
		{"what is not asked stays refused", "notes.read", "notes.read", known("", policy.Policy{Refused: []string{"mail.send"}}), "notes.read", "notes.read", "mail.send"},
		{"what was refused may be granted", "mail.send", "mail.send", known("notes.read", policy.Policy{Refused: []string{"mail.send", "files.read"}}), "mail.send", "mail.send notes.read", "files.read"},
	} {
		c := &choice.Choice{Ticked: scope.Parse(tt.ticked)}
		d := c.Decide(scope.Parse(tt.asked), tt.known)
		if d.Granted.String() != tt.granted || d.Scopes.String() != tt.scopes || strings.Join(d.Policy.Refused, " ") != tt.refused {
			t.Errorf("%s: granted %q, scopes %q, refused %q", tt.name, d.Granted, d.Scopes, d.Policy.Refused)
		}
	}
}

// Whatever is ticked, nobody gets more than was asked for or had before, and
// what was asked for is either granted or refused.
func TestDecideGrantsNoMore(t *testing.T) {
	all := []scope.Scope{scope.NotesRead, scope.NotesWrite, scope.MailRead, scope.MailSend, scope.FilesWrite}
	pick := func(mask int) scope.Set {
		var out []scope.Scope
		for i, s := range all {
			if mask&(1<<i) != 0 {
				out = append(out, s)
			}
		}
		return scope.NewSet(out...)
	}
	for mask := range 1 << (3 * len(all)) {
		asked, had := pick(mask), pick(mask>>len(all))
		ticked := scope.NewSet(slices.DeleteFunc(pick(mask>>(2*len(all))).Scopes(), func(s scope.Scope) bool {
			return !slices.Contains(choice.Offered(asked), s)
		})...)
		d := (&choice.Choice{Ticked: ticked}).Decide(asked, &store.Grant{Scopes: had})
		if !asked.HasAll(d.Granted) || !asked.Union(had).HasAll(d.Scopes) || !d.Scopes.HasAll(d.Granted) {
			t.Fatalf("asked %q, had %q, ticked %q: granted %q, scopes %q", asked, had, ticked, d.Granted, d.Scopes)
		}
		for _, s := range asked.Scopes() {
			if d.Granted.Has(s) == slices.Contains(d.Policy.Refused, string(s)) {
				t.Fatalf("asked %q, ticked %q: %s is granted %t, refused %q", asked, ticked, s, d.Granted.Has(s), d.Policy.Refused)
			}
		}
	}
}

// The folders are asked for with the files only, and must not get lost with
// the next question.
func TestFoldersThatWereNotAskedFor(t *testing.T) {
	known := &store.Grant{Scopes: scope.Parse("files.read"), Policy: policy.Policy{Folders: []string{"/Work"}, Paused: true}}
	d := (&choice.Choice{Ticked: scope.Parse("notes.read")}).Decide(scope.Parse("notes.read"), known)
	if strings.Join(d.Policy.Folders, " ") != "/Work" {
		t.Errorf("folders are %q", d.Policy.Folders)
	}
	if d.Policy.Paused {
		t.Error("a connection that the person just allowed is paused")
	}
}

func TestParse(t *testing.T) {
	offered := choice.Offered(scope.Parse("notes.write files.read"))
	for _, tt := range []struct {
		name string
		form url.Values
		want *choice.Choice
	}{
		{"all", url.Values{"scope": {"notes.read", "files.read"}, "read_only": {"1"}, "no_delete": {"1"}, "folders": {"/a/\r\n/a/b\r\n"}, "lifetime": {"7d"}}, &choice.Choice{
			Ticked: scope.Parse("notes.read files.read"), ReadOnly: true, NoDelete: true, Folders: []string{"/a"}, FoldersText: "/a/\r\n/a/b\r\n", Lifetime: "7d",
		}},
		{"nothing", url.Values{}, &choice.Choice{Lifetime: "unlimited", NothingLeft: true}},
		{"a bad folder", url.Values{"scope": {"files.read"}, "folders": {"/a/../b"}}, &choice.Choice{
			Ticked: scope.Parse("files.read"), FoldersText: "/a/../b", FoldersBad: "path", Lifetime: "unlimited",
		}},
		{"not offered", url.Values{"scope": {"notes.read", "mail.send"}}, nil},
		{"another spelling", url.Values{"scope": {"notes:read"}}, nil},
		{"several in one", url.Values{"scope": {"notes.read files.read"}}, nil},
		{"a lifetime that is none", url.Values{"scope": {"notes.read"}, "lifetime": {"forever"}}, nil},
	} {
		got, err := choice.Parse(tt.form, offered)
		if tt.want == nil {
			if !errors.Is(err, choice.ErrForged) {
				t.Errorf("%s: %+v, %v", tt.name, got, err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b scope.Set) bool { return a.String() == b.String() })); err != nil || diff != "" {
			t.Errorf("%s: %v %s", tt.name, err, diff)
		}
		if got.Good() != (tt.name == "all") {
			t.Errorf("%s: good is %t", tt.name, got.Good())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("scope=notes.read&lifetime=7d&folders=%2Fa")
	f.Add("scope=notes.read&scope=mail.send")
	f.Add("folders=%2Fa%0A..%2F&read_only=1")
	offered := choice.Offered(scope.Parse("notes.write files.read"))
	f.Fuzz(func(t *testing.T, form string) {
		values, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		c, err := choice.Parse(values, offered)
		if err != nil {
			return
		}
		for _, s := range c.Ticked.Scopes() {
			if !slices.Contains(offered, s) {
				t.Errorf("%q ticks %s", form, s)
			}
		}
		if !slices.Contains(choice.Lifetimes(), c.Lifetime) || len(c.Folders) > 20 {
			t.Errorf("%q is %+v", form, c)
		}
	})
}

func TestLifetimes(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for value, life := range map[string]time.Duration{"1d": day, "7d": 7 * day, "30d": 30 * day, "365d": 365 * day, "unlimited": 0} {
		want := time.Time{}
		if life > 0 {
			want = now.Add(life)
		}
		if got := (&choice.Choice{Lifetime: value}).Ends(now); !got.Equal(want) {
			t.Errorf("%s ends %s, want %s", value, got, want)
		}
		if got := choice.LifetimeOf(want, now); got != value {
			t.Errorf("what ends %s has the lifetime %s, want %s", want, got, value)
		}
		if !slices.Contains(choice.Lifetimes(), value) {
			t.Errorf("%s is not offered", value)
		}
	}
	for ends, want := range map[time.Duration]string{time.Hour: "1d", 3 * day: "7d", 366 * day: "unlimited", -day: "1d"} {
		if got := choice.LifetimeOf(now.Add(ends), now); got != want {
			t.Errorf("%s left: %s, want %s", ends, got, want)
		}
	}
}
