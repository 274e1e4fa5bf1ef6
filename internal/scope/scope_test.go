package scope_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/scope"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		value string
		want  []string
	}{
		{"", []string{}},
		{"   ", []string{}},
		{"notes.read", []string{"notes.read"}},
		{"notes:read", []string{"notes.read"}},
		{"notes:write mail:send", []string{"mail.send", "notes.write"}},
		{"notes.read notes:read  notes.read", []string{"notes.read"}},
		{"openid profile offline_access", []string{"offline_access", "openid", "profile"}},
		{"mcp:notes:read", []string{"mcp:notes:read"}},
		{"notes:admin", []string{"notes:admin"}},
		{"https://idp.example/notes:read", []string{"https://idp.example/notes:read"}},
		{"api.example:read", []string{"api.example:read"}},
		{"Notes.Read", []string{"Notes.Read"}}, // RFC 6749, 3.3: case matters
		{"unknown.thing", []string{"unknown.thing"}},
	} {
		t.Run(test.value, func(t *testing.T) {
			if diff := cmp.Diff(test.want, scope.Parse(test.value).Strings()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestHas(t *testing.T) {
	for _, test := range []struct {
		held   string
		needed scope.Scope
		want   bool
	}{
		{"notes.read", scope.NotesRead, true},
		{"notes.write", scope.NotesRead, true},
		{"notes.read", scope.NotesWrite, false},
		{"notes:write", scope.NotesRead, true},
		{"mail.send", scope.MailRead, false},
		{"mail.write", scope.MailSend, false},
		{"mail.send", scope.MailWrite, false},
		{"calendar.write", scope.NotesRead, false},
		{"notes.write.read", scope.NotesRead, false},
		{"notes", scope.NotesRead, false},
		{"*", scope.NotesRead, false},
		{"NOTES.READ", scope.NotesRead, false},
		{"openid", scope.NotesRead, false},
		{"", scope.NotesRead, false},
		{".write", scope.NotesRead, false},
	} {
		if got := scope.Parse(test.held).Has(test.needed); got != test.want {
			t.Errorf("%q has %q: %v, want %v", test.held, test.needed, got, test.want)
		}
	}
}

func TestSet(t *testing.T) {
	var empty scope.Set
	both := scope.NewSet(scope.NotesWrite, scope.MailRead, scope.NotesWrite)
	if !empty.Empty() || both.Empty() {
		t.Error("Empty")
	}
	if !empty.HasAll(empty) || !both.HasAll(empty) || empty.HasAll(both) {
		t.Error("HasAll with the empty set")
	}
	if !both.HasAll(scope.NewSet(scope.NotesRead, scope.MailRead)) {
		t.Error("HasAll does not see the implied scope")
	}
	if both.HasAll(scope.NewSet(scope.NotesRead, scope.MailSend)) {
		t.Error("HasAll takes one of two for all")
	}
	if got := both.Missing(scope.NewSet(scope.MailSend, scope.NotesRead, scope.DeckRead)).String(); got != "deck.read mail.send" {
		t.Errorf("Missing = %q", got)
	}
	if got := both.Union(scope.NewSet(scope.DeckRead, scope.MailRead)).String(); got != "deck.read mail.read notes.write" {
		t.Errorf("Union = %q", got)
	}
	if got := both.String(); got != "mail.read notes.write" {
		t.Errorf("Missing or Union changed the set: %q", got)
	}
	members := both.Scopes()
	members[0] = "changed"
	if both.String() != "mail.read notes.write" {
		t.Error("Scopes hands out the set's own memory")
	}
	given := []scope.Scope{scope.NotesWrite, scope.DeckRead}
	scope.NewSet(given...)
	if given[0] != scope.NotesWrite {
		t.Error("NewSet sorts the caller's slice")
	}
}

func TestScope(t *testing.T) {
	if scope.NotesRead.Area() != "notes" || scope.OpenID.Area() != "openid" {
		t.Error("Area")
	}
	for _, s := range []scope.Scope{scope.OpenID, scope.Profile, scope.Email, scope.OfflineAccess} {
		if !s.Identity() {
			t.Errorf("%s is an identity scope", s)
		}
	}
	if scope.MailSend.Identity() {
		t.Error("mail.send is no identity scope")
	}
}

// FuzzParse checks that a scope value survives being written and read again,
// and that no value unlocks what it does not name.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "notes.read", "notes:write openid", "a:b:read", ":read", ".write", "\x00 \u00a0\xff", "notes.write\tmail:send"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		set := scope.Parse(value)
		got := set.Strings()
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("%q: not a sorted set: %q", value, got)
		}
		if again := scope.Parse(set.String()); again.String() != set.String() {
			t.Fatalf("%q: %q, read again %q", value, set, again)
		}
		if !set.HasAll(set) || !set.Missing(set).Empty() || set.Union(set).String() != set.String() {
			t.Fatalf("%q: the set laws do not hold", value)
		}
		for _, s := range []scope.Scope{scope.NotesRead, scope.NotesWrite, scope.MailSend} {
			if set.Has(s) && !strings.Contains(value, s.Area()) {
				t.Fatalf("%q unlocks %s", value, s)
			}
		}
	})
}
