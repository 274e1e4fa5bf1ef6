package contract

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts"
)

// names walks through all pages of a listing.
func (p *phonebook) names(t *testing.T, q contacts.Query) []string {
	t.Helper()
	var out []string
	for range 50 {
		page, err := p.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Items {
			if s.UID == "" || s.ETag == "" {
				t.Errorf("item = %+v", s)
			}
			out = append(out, s.Name)
		}
		if len(page.Skipped) > 0 {
			t.Errorf("skipped %+v", page.Skipped)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return out
}

func contactsList(t *testing.T, p *phonebook) {
	group := unique("pages")
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("Pager %d Ü", i)
		p.create(t, contacts.Fields{Name: &name, Categories: &[]string{group}, Emails: &[]contacts.Value{{Value: "a@example.org"}, {Value: "b@example.org", Preferred: new(true)}}})
		want = append(want, name)
	}
	if got := p.names(t, contacts.Query{Addressbook: p.name, Group: group, Limit: 2}); !slices.Equal(got, want) {
		t.Errorf("pages of 2: %q", got)
	}
	all := p.names(t, contacts.Query{Addressbook: p.name})
	if !slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) || len(all) < 7 {
		t.Errorf("all: %q", all)
	}
	page, err := p.List(t.Context(), contacts.Query{Addressbook: p.name, Group: strings.ToUpper(group), Limit: 1})
	if err != nil || page.Total != 7 || page.Items[0].Email != "b@example.org" {
		t.Errorf("page = %+v, %v", page, err)
	}
	if _, err := p.List(t.Context(), contacts.Query{Addressbook: p.name, Cursor: "nonsense"}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("bad cursor: %v", err)
	}
	if page, err := p.List(t.Context(), contacts.Query{Addressbook: "z-server-generated--system"}); err != nil || page.Total != len(page.Items) {
		t.Errorf("accounts: %+v, %v", page, err)
	}
	if _, err := p.List(t.Context(), contacts.Query{Addressbook: "z-app-generated--contactsinteraction--recent"}); err != nil {
		t.Errorf("recently contacted: %v", err)
	}
}

// contactsSync: what other programs change is seen by a client that has listed
// the address book before.
func contactsSync(t *testing.T, p *phonebook) {
	before := p.names(t, contacts.Query{Addressbook: p.name})
	uid := unique("sync")
	p.put(t, "sync.vcf", "BEGIN:VCARD", "VERSION:4.0", "UID:"+uid, "FN:Sync One", "EMAIL:s@example.org", "END:VCARD")
	if got := p.names(t, contacts.Query{Addressbook: p.name}); len(got) != len(before)+1 || !slices.Contains(got, "Sync One") {
		t.Errorf("added: %q", got)
	}
	p.put(t, "sync.vcf", "BEGIN:VCARD", "VERSION:4.0", "UID:"+uid, "FN:Sync Two", "END:VCARD")
	if got := p.names(t, contacts.Query{Addressbook: p.name}); slices.Contains(got, "Sync One") || !slices.Contains(got, "Sync Two") {
		t.Errorf("changed: %q", got)
	}
	if _, err := p.Delete(t.Context(), p.of(uid)); err != nil {
		t.Fatal(err)
	}
	if got := p.names(t, contacts.Query{Addressbook: p.name}); !slices.Equal(got, before) {
		t.Errorf("removed: %q", got)
	}
}

func contactsSearch(t *testing.T, p *phonebook) {
	word := strings.ReplaceAll(unique("such"), " ", "")
	c := p.create(t, contacts.Fields{
		Name: new("Ännchen " + word), Organization: new("Werk"), Note: new("about " + word + "note"), Nickname: new("Nick" + word),
		Emails: &[]contacts.Value{{Value: word + "@example.org"}}, Phones: &[]contacts.Value{{Value: "+49 (170) 55 66-778"}},
	})
	for text, want := range map[string]bool{
		strings.ToUpper(word): true, "änn" + "chen " + word: true, word + " werk": true, word + "@example": true, "nick" + word: true, word + "note": true,
		"0170 5566778": true, "5566778": true, "+491705566778": true, word + " nobody": false, word + "x": false, "0170 5566779": false,
	} {
		page, err := p.Search(t.Context(), contacts.Query{Addressbook: p.name, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(page.Items, func(s contacts.Summary) bool { return s.UID == c.UID }); got != want {
			t.Errorf("%q: %v, want %v: %+v", text, got, want, page.Items)
		}
	}
	page, err := p.Search(t.Context(), contacts.Query{Text: word})
	if err != nil || len(page.Items) != 1 || page.Items[0].Addressbook != p.name || page.Items[0].ETag == "" {
		t.Errorf("everywhere: %+v, %v", page, err)
	}
	if _, err := p.Search(t.Context(), contacts.Query{Text: " "}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("nothing to look for: %v", err)
	}
}

func contactsGroups(t *testing.T, p *phonebook) {
	a, b := unique("group a"), unique("group b")
	one := p.create(t, contacts.Fields{Name: new("Group One"), Categories: &[]string{a}})
	two := p.create(t, contacts.Fields{Name: new("Group Two")})
	if _, err := p.SetGroup(t.Context(), p.of(two.UID), a, true); err != nil {
		t.Fatal(err)
	}
	if w, err := p.SetGroup(t.Context(), p.of(one.UID), b, true); err != nil || !slices.Equal(w.Contact.Categories, []string{a, b}) {
		t.Errorf("two groups: %+v, %v", w, err)
	}
	if w, err := p.SetGroup(t.Context(), p.of(one.UID), b, true); err != nil || !w.Same {
		t.Errorf("again: %+v, %v", w, err)
	}
	counts := func() map[string]int {
		groups, _, err := p.Groups(t.Context(), p.name)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		for _, g := range groups {
			out[g.Name] = g.Contacts
		}
		return out
	}
	if got := counts(); got[a] != 2 || got[b] != 1 {
		t.Errorf("groups = %v", got)
	}
	if _, err := p.SetGroup(t.Context(), p.of(one.UID), strings.ToUpper(a), false); err != nil {
		t.Fatal(err)
	}
	if got := counts(); got[a] != 1 {
		t.Errorf("groups = %v", got)
	}
}

func contactsPhoto(t *testing.T, p *phonebook) {
	c := p.create(t, contacts.Fields{Name: new("With Photo"), Photo: new("data:image/png;base64," + picture)})
	photo, err := p.Photo(t.Context(), p.name, c.UID)
	if err != nil || photo.Type != "image/png" || !strings.HasPrefix(string(photo.Data), "\x89PNG") {
		t.Errorf("photo = %+v, %v", photo, err)
	}
	if w, err := p.SetPhoto(t.Context(), p.of(c.UID), ""); err != nil || w.Contact.HasPhoto {
		t.Errorf("removed: %+v, %v", w, err)
	}
	if _, err := p.Photo(t.Context(), p.name, c.UID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("no photo: %v", err)
	}
	if w, err := p.SetPhoto(t.Context(), p.of(c.UID), picture); err != nil || !w.Contact.HasPhoto {
		t.Errorf("set: %+v, %v", w, err)
	}
}

func contactsDelete(t *testing.T, p *phonebook) {
	uid := unique("gone")
	p.put(t, "gone.vcf", strange(uid)...)
	before := p.raw(t, uid)
	d, err := p.Delete(t.Context(), p.of(uid))
	if err != nil || d.VCard != before || d.Contact.Name != "Old Name" {
		t.Fatalf("deleted = %+v, %v", d, err)
	}
	if _, err := p.Get(t.Context(), p.name, uid); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	if _, err := p.Delete(t.Context(), p.of(uid)); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	back, err := p.Import(t.Context(), p.name, d.VCard, false)
	if err != nil || len(back.Created) != 1 || back.Created[0].UID != uid {
		t.Fatalf("back = %+v, %v", back, err)
	}
	if after := p.raw(t, uid); after != before {
		t.Errorf("not the same after coming back:\n%q\n%q", after, before)
	}
}

func contactsMove(t *testing.T, p *phonebook) {
	uid := unique("moved")
	p.put(t, "moved.vcf", strange(uid)...)
	before := p.raw(t, uid)
	m, err := p.Move(t.Context(), p.of(uid), p.other, false)
	if err != nil || m.Contact.Addressbook != p.other || m.From != p.name {
		t.Fatalf("moved = %+v, %v", m, err)
	}
	if _, err := p.Get(t.Context(), p.name, uid); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	there := &phonebook{Client: p.Client, name: p.other}
	if after := there.raw(t, uid); after != before {
		t.Errorf("moved with a loss:\n%q\n%q", after, before)
	}
	c, err := p.Move(t.Context(), contacts.Target{Addressbook: p.other, UID: uid}, p.name, true)
	if err != nil || c.Contact.Addressbook != p.name {
		t.Fatalf("copied = %+v, %v", c, err)
	}
	if after := p.raw(t, uid); after != before {
		t.Errorf("copied with a loss:\n%q", after)
	}
	if _, err := p.Move(t.Context(), contacts.Target{Addressbook: p.other, UID: uid}, p.name, false); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("move onto itself: %v", err)
	}
	if _, err := p.Move(t.Context(), contacts.Target{Addressbook: p.other, UID: uid}, p.name, true); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("copy twice: %v", err)
	}
	if _, err := p.Move(t.Context(), p.of(uid), p.name, false); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("move to where it is: %v", err)
	}
	if _, err := p.Move(t.Context(), p.of(uid), "z-server-generated--system", false); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("move to the system address book: %v", err)
	}
}

func contactsMerge(t *testing.T, p *phonebook) {
	word := strings.ReplaceAll(unique("merge"), " ", "")
	kept := p.create(t, contacts.Fields{Name: new("Max " + word), Emails: &[]contacts.Value{{Value: word + "@example.org"}}, Birthday: new("1980-01-01"), Note: new("first")})
	uid := word + "-2"
	p.put(t, uid+".vcf", "BEGIN:VCARD", "VERSION:4.0", "UID:"+uid, "FN:"+word+"\\, Max", "item1.EMAIL;TYPE=work:"+word+"@work.example", "item1.X-ABLabel:Büro",
		"EMAIL:"+strings.ToUpper(word)+"@example.org", "BDAY:19810101", "ANNIVERSARY:20000102", "NOTE:second", "X-MINE;P=1:kept", "PHOTO:data:image/png;base64,"+picture, "END:VCARD")
	sets, _, err := p.Duplicates(t.Context(), p.name)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sets, func(d contacts.Duplicates) bool {
		return slices.ContainsFunc(d.Contacts, func(s contacts.Summary) bool { return s.UID == uid })
	})
	if i < 0 || len(sets[i].Contacts) != 2 || !slices.Equal(sets[i].Reasons, []string{"email", "name"}) {
		t.Errorf("duplicates = %+v", sets)
	}
	before := p.raw(t, kept.UID)
	preview, err := p.Merge(t.Context(), p.of(kept.UID), []string{uid}, true)
	if err != nil || preview.Done || p.raw(t, kept.UID) != before {
		t.Fatalf("preview = %+v, %v", preview, err)
	}
	m, err := p.Merge(t.Context(), contacts.Target{Addressbook: p.name, UID: kept.UID, ETag: kept.ETag}, []string{uid}, false)
	if err != nil || !m.Done || !slices.Equal(m.Added, preview.Added) || len(m.Removed) != 1 || m.Removed[0].VCard == "" {
		t.Fatalf("merged = %+v, %v", m, err)
	}
	got := p.get(t, kept.UID)
	if len(got.Emails) != 2 || got.Birthday != "1980-01-01" || got.Anniversary != "2000-01-02" || got.Note != "first\n\nsecond" || !got.HasPhoto ||
		*got.Emails[1].Label != "Büro" || !slices.Contains(got.Other, "X-MINE") || len(m.LeftOut) == 0 {
		t.Errorf("merged = %+v, left out %q", got, m.LeftOut)
	}
	if _, err := p.Get(t.Context(), p.name, uid); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	if back, err := p.Import(t.Context(), p.name, m.Removed[0].VCard, false); err != nil || len(back.Created) != 1 {
		t.Errorf("back = %+v, %v", back, err)
	}
}

func contactsTransfer(t *testing.T, p *phonebook) {
	word := strings.ReplaceAll(unique("import"), " ", "")
	text := strings.Join([]string{
		"BEGIN:VCARD", "VERSION:2.1", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:" + word + ";Zo=C3=AB", "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB " + word, "TEL;CELL;PREF:0170 1", "END:VCARD",
		"BEGIN:VCARD", "VERSION:3.0", "FN:Second " + word, "UID:" + word + "/2", "CATEGORIES:" + word, "END:VCARD",
		"BEGIN:VCARD", "VERSION:4.0", "FN:Third " + word, "UID:" + word + "-3", "CATEGORIES:" + word, "PHOTO:data:image/png;base64," + picture, "END:VCARD",
		"BEGIN:VCARD", "VERSION:3.0", "UID:nameless", "END:VCARD",
		"BEGIN:VCARD", "VERSION:3.0", "FN:Cut",
	}, "\r\n")
	in, err := p.Import(t.Context(), p.name, text, false)
	if err != nil || len(in.Created) != 3 || len(in.Skipped) != 2 || in.Created[0].Name != "Zoë "+word {
		t.Fatalf("imported = %+v, %v", in, err)
	}
	again, err := p.Import(t.Context(), p.name, text, false)
	if err != nil || len(again.Created) != 1 || len(again.Skipped) != 4 { // only the one without a uid
		t.Errorf("again = %+v, %v", again, err)
	}
	out, err := p.Export(t.Context(), contacts.ExportQuery{Addressbook: p.name, Group: word, Limit: 1})
	if err != nil || out.Count != 1 || out.Total != 2 || out.Next == "" {
		t.Fatalf("exported = %+v, %v", out, err)
	}
	rest, err := p.Export(t.Context(), contacts.ExportQuery{Addressbook: p.name, Group: word, Limit: 1, Cursor: out.Next})
	if err != nil || rest.Next != "" || !strings.Contains(rest.VCards, "Third") || strings.Contains(rest.VCards, "PHOTO") {
		t.Errorf("rest = %+v, %v", rest, err)
	}
	both, err := p.Export(t.Context(), contacts.ExportQuery{Addressbook: p.name, UIDs: []string{word + "/2", word + "-3", "nobody"}, Photos: true})
	if err != nil || both.Count != 2 || len(both.Skipped) != 1 || !strings.Contains(both.VCards, "PHOTO") || strings.Contains(both.VCards, "VERSION:4.0") {
		t.Errorf("both = %+v, %v", both, err)
	}
}

func contactsRefusals(t *testing.T, p *phonebook) {
	if _, err := p.Import(t.Context(), p.name, "hello", false); err != nil {
		t.Errorf("no vCard: %v", err) // named in skipped
	}
	if _, err := p.Import(t.Context(), p.name, "", false); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := p.DeleteBook(t.Context(), p.name, false); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("delete a full address book: %v", err)
	}
	for _, name := range []string{"..", "a/b", "a\x00b", ".", "z-app-generated--mine"} {
		if _, err := p.CreateBook(t.Context(), name, "x", ""); err == nil {
			t.Errorf("%q was made", name)
		}
	}
}
