package contract

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

func runContacts(t *testing.T, env *Env) {
	p := newPhonebook(t, env)
	for _, part := range []struct {
		name string
		run  func(t *testing.T, p *phonebook)
	}{
		{"address books", contactsBooks},
		{"create and get", contactsCreate},
		{"nothing is lost", contactsLossless},
		{"version 4", contactsV4},
		{"update", contactsUpdate},
		{"several values", contactsValues},
		{"stale etag", contactsStale},
		{"file names", contactsFiles},
		{"list", contactsList},
		{"sync", contactsSync},
		{"search", contactsSearch},
		{"groups", contactsGroups},
		{"photo", contactsPhoto},
		{"delete and import", contactsDelete},
		{"move and copy", contactsMove},
		{"duplicates and merge", contactsMerge},
		{"import and export", contactsTransfer},
		{"refusals", contactsRefusals},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, p) })
	}
}

// phonebook is a client with two address books of its own that vanish with the
// suite. Nextcloud limits how many a person may make, so that all parts share
// them.
type phonebook struct {
	*contacts.Client
	nc          *nextcloud.Client
	dav         *dav.Client
	name, other string
	path        string
}

func newPhonebook(t *testing.T, env *Env) *phonebook {
	t.Helper()
	nc := env.Client(t)
	p := &phonebook{Client: contacts.New(nc), nc: nc, dav: dav.New(nc), name: strings.ReplaceAll(unique("contract"), " ", "-")}
	p.other = p.name + "-2"
	for _, name := range []string{p.name, p.other} {
		_, err := p.CreateBook(t.Context(), name, "Contract <&> "+name, "for tests")
		if errors.Is(err, nextcloud.ErrRateLimited) {
			t.Skip("this Nextcloud lets nobody make more address books now")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := p.DeleteBook(context.WithoutCancel(t.Context()), name, true); err != nil {
				t.Errorf("clean up: %v", err)
			}
		})
	}
	user, err := nc.UserID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.path, err = nextcloud.Path(dav.Root+"/addressbooks/users", string(user), p.name); err != nil {
		t.Fatal(err)
	}
	p.path += "/"
	return p
}

// put stores a card as another program would.
func (p *phonebook) put(t *testing.T, file string, lines ...string) {
	t.Helper()
	data := strings.Join(lines, "\r\n") + "\r\n"
	if _, err := p.dav.Put(t.Context(), dav.Query{Op: "put", Path: p.path + file}, "text/vcard; charset=utf-8", []byte(data), dav.Condition{}); err != nil {
		t.Fatal(err)
	}
}

// raw is what the server holds.
func (p *phonebook) raw(t *testing.T, uid string) string {
	t.Helper()
	e, err := p.Export(t.Context(), contacts.ExportQuery{Addressbook: p.name, UIDs: []string{uid}, Photos: true})
	if err != nil {
		t.Fatal(err)
	}
	return e.VCards
}

func (p *phonebook) create(t *testing.T, f contacts.Fields) *contacts.Contact {
	t.Helper()
	w, err := p.Create(t.Context(), p.name, "", f)
	if err != nil {
		t.Fatal(err)
	}
	return w.Contact
}

func (p *phonebook) get(t *testing.T, uid string) *contacts.Contact {
	t.Helper()
	c, err := p.Get(t.Context(), p.name, uid)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *phonebook) of(uid string) contacts.Target {
	return contacts.Target{Addressbook: p.name, UID: uid}
}

func contactsBooks(t *testing.T, p *phonebook) {
	find := func() *contacts.Book {
		books, err := p.Books(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		system := slices.IndexFunc(books, func(b contacts.Book) bool { return b.System })
		if system < 0 || !books[system].ReadOnly {
			t.Errorf("no system address book, or one that can be written: %+v", books)
		}
		i := slices.IndexFunc(books, func(b contacts.Book) bool { return b.Name == p.name })
		if i < 0 {
			t.Fatalf("not listed: %+v", books)
		}
		return &books[i]
	}
	if b := find(); b.DisplayName != "Contract <&> "+p.name || b.Description != "for tests" || b.ReadOnly || b.Shared || b.System {
		t.Errorf("book = %+v", b)
	}
	if _, err := p.UpdateBook(t.Context(), p.name, new("Renamed & "+p.name), new("")); err != nil {
		t.Fatal(err)
	}
	if b := find(); b.DisplayName != "Renamed & "+p.name || b.Description != "" {
		t.Errorf("renamed = %+v", b)
	}
	if _, err := p.CreateBook(t.Context(), p.name, "again", ""); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("the same name again: %v", err)
	}
	if b, err := p.Resolve(t.Context(), "test", "renamed & "+p.name); err != nil || b.Name != p.name {
		t.Errorf("by display name: %+v, %v", b, err)
	}
	if _, err := p.List(t.Context(), contacts.Query{Addressbook: "no such book"}); !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), p.name) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := p.Create(t.Context(), "z-server-generated--system", "", contacts.Fields{Name: new("x")}); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("write to the system address book: %v", err)
	}
	if _, err := p.DeleteBook(t.Context(), "z-server-generated--system", true); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("delete the system address book: %v", err)
	}
}

func contactsCreate(t *testing.T, p *phonebook) {
	c := p.create(t, contacts.Fields{
		Prefix: new("Dr."), GivenName: new("Zoë"), Additional: new("M."), FamilyName: new("Müller, geb. Łoś"), Nickname: new("Zo, Zee"),
		Organization: new("A; B & Co"), Department: new("Research"), Title: new("Chemist"), Role: new("Lead"),
		Emails:    &[]contacts.Value{{Value: "zoe@example.org", Types: []string{"work"}}, {Value: "z@home.example", Types: []string{"home"}, Preferred: new(true), Label: new("Privat")}},
		Phones:    &[]contacts.Value{{Value: "+49 30 123456", Types: []string{"cell"}}},
		URLs:      &[]contacts.Value{{Value: "https://example.org/a,b;c"}},
		Social:    &[]contacts.Value{{Value: "https://mastodon.example/@zoe", Types: []string{"mastodon"}}},
		Chats:     &[]contacts.Value{{Value: "xmpp:zoe@jabber.example"}},
		Addresses: &[]contacts.Address{{Street: "Straße 1\nHinterhaus", City: "Köln", PostalCode: "50667", Country: "Deutschland", Types: []string{"home"}}},
		Birthday:  new("--02-29"), Anniversary: new("2010-06-01"), Note: new("line one\nline; two, with 🦷 \\ and \"quotes\""), Categories: &[]string{"Friends", "A,B"},
	})
	if c.UID == "" || c.ETag == "" || c.Name != "Dr. Zoë M. Müller, geb. Łoś" {
		t.Errorf("created = %+v", c)
	}
	got := p.get(t, c.UID)
	if got.ETag != c.ETag || got.Birthday != "--02-29" || got.Anniversary != "2010-06-01" || got.FamilyName != "Müller, geb. Łoś" ||
		got.Note != "line one\nline; two, with 🦷 \\ and \"quotes\"" || got.Organization != "A; B & Co" || got.Department != "Research" ||
		!slices.Equal(got.Categories, []string{"Friends", "A,B"}) || got.Addresses[0].Street != "Straße 1\nHinterhaus" ||
		len(got.Emails) != 2 || *got.Emails[1].Label != "Privat" || !*got.Emails[1].Preferred || got.URLs[0].Value != "https://example.org/a,b;c" {
		t.Errorf("read = %+v", got)
	}
	// What GET gives other programs is the same text: there is nothing to convert.
	o, err := p.dav.Get(t.Context(), dav.Query{Op: "get", Path: p.path + c.UID + ".vcf"}, "text/vcard")
	if err != nil || string(o.Data) != p.raw(t, c.UID) {
		t.Errorf("GET %v:\n%s\n%s", err, o.Data, p.raw(t, c.UID))
	}
	for name, f := range map[string]contacts.Fields{
		"no name":      {Note: new("x")},
		"bad date":     {Name: new("x"), Birthday: new("1.2.1980")},
		"bad mail":     {Name: new("x"), Emails: &[]contacts.Value{{Value: "jane"}}},
		"bad number":   {Name: new("x"), Phones: &[]contacts.Value{{Value: "none"}}},
		"bad photo":    {Name: new("x"), Photo: new("AAAA")},
		"empty number": {Name: new("x"), Phones: &[]contacts.Value{{Value: " "}}},
	} {
		if _, err := p.Create(t.Context(), p.name, "", f); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Create(t.Context(), p.name, c.UID, contacts.Fields{Name: new("again")}); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("the same uid: %v", err)
	}
	if only := p.create(t, contacts.Fields{Organization: new("Just a company")}); only.Name != "Just a company" {
		t.Errorf("company = %+v", only)
	}
}

// strange is a card as other programs write them.
func strange(uid string) []string {
	return []string{
		"BEGIN:VCARD", "VERSION:3.0", "PRODID:-//Other//Program//EN", "X-FIRST:before the name", "FN:Old Name", "N:Name;Old;;;",
		"item1.EMAIL;type=INTERNET;X-P=\"a;b,c:d\";type=pref:old@example.org", "item1.X-ABLabel:_$!<Other>!$_",
		"X-DUP:one", "X-DUP:two", "x-lower;p=1:kept", "item2.X-ABRELATEDNAMES:Somebody", "item2.X-ABLabel:Boss",
		"NOTE:a note that is longer than one line may be so that it has to be folded s", " omewhere in the middle of a word", "CATEGORIES:one,two",
		"PHOTO;ENCODING=b;TYPE=PNG;X-ABCROP-RECTANGLE=ABClipRect_1&0&0:" + picture, "TEL;TYPE=HOME:030 1", "UID:" + uid, "END:VCARD",
	}
}

// picture is a small PNG.
var picture = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"))

func contactsLossless(t *testing.T, p *phonebook) {
	uid := unique("strange")
	p.put(t, "strange.vcf", strange(uid)...)
	before := strings.Split(p.raw(t, uid), "\r\n")
	if !slices.Equal(before, append(strange(uid), "")) {
		t.Errorf("not stored as it was sent: %q", before)
	}
	w, err := p.Update(t.Context(), p.of(uid), contacts.Fields{Title: new("Boss")}, contacts.Changes{
		Replace: []contacts.Change{{Field: "email", Old: "old@example.org", Value: contacts.Value{Value: "new@example.org"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	after := strings.Split(p.raw(t, uid), "\r\n")
	want := slices.Clone(before)
	for i, l := range want {
		if strings.HasPrefix(l, "item1.EMAIL") {
			want[i] = strings.Replace(l, "old@", "new@", 1)
		}
	}
	want = slices.Insert(want, len(want)-2, "TITLE:Boss")
	if !slices.Equal(after, want) {
		t.Errorf("after the update:\n%q\nwant\n%q", after, want)
	}
	if w.Contact.ETag == "" {
		t.Error("no etag")
	}
}

func contactsV4(t *testing.T, p *phonebook) {
	uid := unique("v4")
	lines := []string{
		"BEGIN:VCARD", "VERSION:4.0", "UID:" + uid, "FN:Version Four", "N:Four;Version;;;", "BDAY:--0314", "ANNIVERSARY:20090808",
		"TEL;VALUE=uri;PREF=1;TYPE=\"voice,home\":tel:+1-555-555-5555;ext=5555", "PHOTO:data:image/png;base64," + picture,
		"RELATED;TYPE=friend:urn:uuid:1234", "CLIENTPIDMAP:1;urn:uuid:3df403f4-5924-4bb7-b077-3c711d9eb34b", "EMAIL;PID=4.1;PREF=2:four@example.org", "END:VCARD",
	}
	p.put(t, "four.vcf", lines...)
	c := p.get(t, uid)
	if c.Version != "4.0" || c.Birthday != "--03-14" || c.Anniversary != "2009-08-08" || !c.HasPhoto || c.Phones[0].Value != "+1-555-555-5555" {
		t.Errorf("read = %+v", c)
	}
	if _, err := p.Update(t.Context(), p.of(uid), contacts.Fields{Birthday: new("1990-01-02"), Photo: new(picture)}, contacts.Changes{}); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(lines)
	want[5] = "BDAY:19900102"
	raw := strings.ReplaceAll(p.raw(t, uid), "\r\n ", "")
	if got := strings.Split(strings.TrimSpace(raw), "\r\n"); !slices.Equal(got, want) {
		t.Errorf("after the update:\n%q\nwant\n%q", got, want)
	}
}

func contactsUpdate(t *testing.T, p *phonebook) {
	c := p.create(t, contacts.Fields{Name: new("Ada Lovelace"), Note: new("x"), Title: new("Countess")})
	if c.GivenName != "Ada" || c.FamilyName != "Lovelace" {
		t.Errorf("created = %+v", c)
	}
	w, err := p.Update(t.Context(), contacts.Target{Addressbook: p.name, UID: c.UID, ETag: c.ETag}, contacts.Fields{FamilyName: new("King"), Title: new("")}, contacts.Changes{})
	if err != nil {
		t.Fatal(err)
	}
	got := p.get(t, c.UID)
	if got.Name != "Ada King" || got.Title != "" || got.Note != "x" || got.ETag != w.Contact.ETag || got.ETag == c.ETag {
		t.Errorf("updated = %+v", got)
	}
	same, err := p.Update(t.Context(), p.of(c.UID), contacts.Fields{Note: new("x")}, contacts.Changes{})
	if err != nil || !same.Same || same.Contact.ETag != got.ETag {
		t.Errorf("an update without a change wrote something: %+v, %v", same, err)
	}
	if by, err := p.Get(t.Context(), p.name, "ada king"); err != nil || by.UID != c.UID {
		t.Errorf("by name: %+v, %v", by, err)
	}
	if _, err := p.Update(t.Context(), p.of("not there"), contacts.Fields{Note: new("x")}, contacts.Changes{}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("not there: %v", err)
	}
	p.create(t, contacts.Fields{Name: new("Ada King")})
	if _, err := p.Get(t.Context(), p.name, "Ada King"); !errors.Is(err, nextcloud.ErrInvalid) || !strings.Contains(err.Error(), c.UID) {
		t.Errorf("two of a name: %v", err)
	}
}

func contactsValues(t *testing.T, p *phonebook) {
	c := p.create(t, contacts.Fields{
		Name: new("Several Values"), Categories: &[]string{"a", "b"},
		Emails:    &[]contacts.Value{{Value: "one@example.org", Types: []string{"home"}, Label: new("First")}, {Value: "two@example.org"}},
		Phones:    &[]contacts.Value{{Value: "+49 (30) 12-34", Types: []string{"cell"}}},
		Addresses: &[]contacts.Address{{Street: "A 1", City: "B"}, {Street: "C 2", City: "D"}},
	})
	value := func(v string, types ...string) contacts.Value { return contacts.Value{Value: v, Types: types} }
	_, err := p.Update(t.Context(), p.of(c.UID), contacts.Fields{}, contacts.Changes{
		Remove: []contacts.Change{{Field: "email", Old: "TWO@example.org"}, {Field: "categories", Old: "A"}, {Field: "adr", Old: "C 2"}},
		Replace: []contacts.Change{
			{Field: "email", Old: "one@example.org", Value: value("1@example.org")},
			{Field: "tel", Old: "+493012-34", Value: value("+49 30 99", "work")},
			{Field: "adr", Old: "A 1, B", Address: contacts.Address{City: "X"}},
		},
		Add: []contacts.Change{{Field: "email", Value: value("three@example.org", "work")}, {Field: "categories", Value: value("c")}, {Field: "nickname", Value: value("Sev")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := p.get(t, c.UID)
	if len(got.Emails) != 2 || got.Emails[0].Value != "1@example.org" || *got.Emails[0].Label != "First" || !slices.Equal(got.Emails[0].Types, []string{"home"}) ||
		got.Emails[1].Value != "three@example.org" || !slices.Equal(got.Categories, []string{"b", "c"}) || got.Nickname != "Sev" ||
		len(got.Phones) != 1 || got.Phones[0].Value != "+49 30 99" || !slices.Equal(got.Phones[0].Types, []string{"work"}) ||
		len(got.Addresses) != 1 || got.Addresses[0].Street != "A 1" || got.Addresses[0].City != "X" {
		t.Errorf("changed = %+v", got)
	}
	for name, ch := range map[string]contacts.Changes{
		"nothing to remove": {Remove: []contacts.Change{{Field: "email", Old: "nobody@example.org"}}},
		"unknown field":     {Add: []contacts.Change{{Field: "bday", Value: value("x")}}},
		"bad mail":          {Add: []contacts.Change{{Field: "email", Value: value("x")}}},
	} {
		if _, err := p.Update(t.Context(), p.of(c.UID), contacts.Fields{}, ch); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The whole list at once: what stays keeps its label.
	if _, err := p.Update(t.Context(), p.of(c.UID), contacts.Fields{Emails: &[]contacts.Value{value("new@example.org"), value("1@example.org")}}, contacts.Changes{}); err != nil {
		t.Fatal(err)
	}
	got = p.get(t, c.UID)
	i := slices.IndexFunc(got.Emails, func(v contacts.Value) bool { return v.Value == "1@example.org" })
	if len(got.Emails) != 2 || i < 0 || got.Emails[i].Label == nil || *got.Emails[i].Label != "First" {
		t.Errorf("list = %+v", got.Emails)
	}
}

func contactsStale(t *testing.T, p *phonebook) {
	c := p.create(t, contacts.Fields{Name: new("Stale One")})
	if _, err := p.Update(t.Context(), p.of(c.UID), contacts.Fields{Note: new("two")}, contacts.Changes{}); err != nil {
		t.Fatal(err)
	}
	old := contacts.Target{Addressbook: p.name, UID: c.UID, ETag: c.ETag}
	if _, err := p.Update(t.Context(), old, contacts.Fields{Note: new("three")}, contacts.Changes{}); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("update: %v", err)
	}
	if _, err := p.Delete(t.Context(), old); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("delete: %v", err)
	}
	// The server itself keeps the promise, not only our look at the tag.
	_, err := p.dav.Put(t.Context(), dav.Query{Op: "put", Path: p.path + c.UID + ".vcf"}, "text/vcard", []byte(strings.Join(strange(c.UID), "\r\n")), dav.Condition{ETag: c.ETag})
	if !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("conditional PUT: %v", err)
	}
	if got := p.get(t, c.UID); got.Note != "two" {
		t.Errorf("contact = %+v", got)
	}
}

func contactsFiles(t *testing.T, p *phonebook) {
	uid := unique("uid/with:odd chars")
	p.put(t, "default", "BEGIN:VCARD", "VERSION:3.0", "UID:"+uid, "FN:Odd File", "END:VCARD")
	c := p.get(t, uid)
	if c.Name != "Odd File" {
		t.Errorf("contact = %+v", c)
	}
	if _, err := p.Update(t.Context(), p.of(uid), contacts.Fields{Note: new("found")}, contacts.Changes{}); err != nil {
		t.Fatal(err)
	}
	// Another program puts somebody else there.
	other := unique("other")
	p.put(t, "default", "BEGIN:VCARD", "VERSION:3.0", "UID:"+other, "FN:Somebody Else", "END:VCARD")
	if _, err := p.Get(t.Context(), p.name, uid); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("the old uid: %v", err)
	}
	if c := p.get(t, other); c.Name != "Somebody Else" {
		t.Errorf("contact = %+v", c)
	}
}
