package nextcloudtest

import (
	"strings"
	"testing"
)

const aliceBooks = "/remote.php/dav/addressbooks/users/alice/"

// vcardOf is a minimal card.
func vcardOf(uid string, lines ...string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + uid + "\r\n" + strings.Join(append(lines, "END:VCARD", ""), "\r\n")
}

func TestCardRefusals(t *testing.T) {
	s := New(nil)
	for _, c := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"two birthdays", vcardOf("a", "BDAY:1980-01-01", "BDAY:1980-01-02"), 415, "BDAY MUST NOT appear more than once"},
		{"no date", vcardOf("a", "BDAY:yesterday"), 415, "DATE-AND-OR-TIME"},
		{"version 2.1", "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:x\r\nEND:VCARD\r\n", 415, "not allowed to accept vCard 2.1"},
		{"version 5", "BEGIN:VCARD\r\nVERSION:5.0\r\nFN:x\r\nEND:VCARD\r\n", 415, "Only vcard version 4.0"},
		{"no name at all", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nEND:VCARD\r\n", 415, "FN property"},
		{"two names", vcardOf("a", "FN:b"), 415, "FN property"},
		{"calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", 415, "only support vcard objects"},
		{"cut", "BEGIN:VCARD\r\nFN:x\r\n", 415, "End of document"},
		{"bad line", vcardOf("a", "this is no line"), 415, "did not follow"},
		{"too large", vcardOf("a", "NOTE:"+strings.Repeat("x", maxCardSize)), 403, "exceeds 5242880 bytes"},
		{"repaired encoding", vcardOf("a", "PHOTO;ENCODING=BASE64;TYPE=PNG:AAAA"), 201, ""},
	} {
		w := call(s, "alice", "PUT", aliceBooks+"contacts/a.vcf", c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestCardReadOnly(t *testing.T) {
	s := New(nil)
	mustCall(t, s, 201, "alice", "PUT", aliceBooks+"contacts/a.vcf", vcardOf("a"))
	if err := s.ShareAddressBook("alice", "contacts", "bob", false); err != nil {
		t.Fatal(err)
	}
	const shared = "/remote.php/dav/addressbooks/users/bob/contacts_shared_by_alice/"
	const system = "/remote.php/dav/addressbooks/users/bob/z-server-generated--system/"
	mustCall(t, s, 200, "bob", "GET", shared+"a.vcf", "")
	mustCall(t, s, 403, "bob", "PUT", shared+"a.vcf", vcardOf("a"))
	mustCall(t, s, 403, "bob", "PUT", shared+"b.vcf", vcardOf("b"))
	mustCall(t, s, 403, "bob", "DELETE", shared+"a.vcf", "")
	mustCall(t, s, 403, "bob", "PROPPATCH", shared, `<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:displayname>x</d:displayname></d:prop></d:set></d:propertyupdate>`)
	mustCall(t, s, 403, "bob", "DELETE", system, "")
	mustCall(t, s, 404, "bob", "PUT", system+"x.vcf", vcardOf("x"))
	mustCall(t, s, 403, "bob", "PUT", system+"Database:alice.vcf", vcardOf("x"))
	mustCall(t, s, 405, "bob", "MKCOL", "/remote.php/dav/addressbooks/users/bob/z-app-generated--x/", "")
	mustCall(t, s, 403, "bob", "DELETE", system+"Database:alice.vcf", "")
	mustCall(t, s, 404, "bob", "GET", aliceBooks+"contacts/a.vcf", "")
	if home := mustCall(t, s, 207, "bob", "PROPFIND", "/remote.php/dav/addressbooks/users/bob/",
		`<d:propfind xmlns:d="DAV:"><d:prop><d:displayname/></d:prop></d:propfind>`, "Depth", "1"); !strings.Contains(home, "Contacts (Alice Example)") {
		t.Errorf("the shared address book is not listed: %s", home)
	}
	mustCall(t, s, 204, "bob", "DELETE", shared, "")
	mustCall(t, s, 404, "bob", "GET", shared+"a.vcf", "")
	mustCall(t, s, 200, "alice", "GET", aliceBooks+"contacts/a.vcf", "")
}

func TestCardTransfer(t *testing.T) {
	s := New(nil)
	book := `<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype></d:prop></d:set></d:mkcol>`
	mustCall(t, s, 201, "alice", "MKCOL", aliceBooks+"other/", book)
	mustCall(t, s, 403, "alice", "MKCOL", aliceBooks+"folder/", "")
	mustCall(t, s, 201, "alice", "PUT", aliceBooks+"contacts/a.vcf", vcardOf("a"))
	mustCall(t, s, 400, "alice", "COPY", aliceBooks+"contacts/a.vcf", "", "Destination", aliceBooks+"contacts/b.vcf")
	mustCall(t, s, 201, "alice", "COPY", aliceBooks+"contacts/a.vcf", "", "Destination", aliceBooks+"other/a.vcf", "Overwrite", "F")
	mustCall(t, s, 412, "alice", "MOVE", aliceBooks+"contacts/a.vcf", "", "Destination", aliceBooks+"other/a.vcf", "Overwrite", "F")
	mustCall(t, s, 201, "alice", "MOVE", aliceBooks+"contacts/a.vcf", "", "Destination", aliceBooks+"other/b.vcf", "Overwrite", "F")
	mustCall(t, s, 404, "alice", "GET", aliceBooks+"contacts/a.vcf", "")
	mustCall(t, s, 409, "alice", "MOVE", aliceBooks+"other/a.vcf", "", "Destination", aliceBooks+"nowhere/a.vcf")
	mustCall(t, s, 404, "alice", "MOVE", aliceBooks+"other/a.vcf", "", "Destination", aliceBooks+"z-server-generated--system/a.vcf")
	for range maxAddressBooks {
		call(s, "alice", "MKCOL", aliceBooks+"n"+strings.Repeat("x", len(s.account("alice").cards.books))+"/", book)
	}
	mustCall(t, s, 403, "alice", "MKCOL", aliceBooks+"one-too-many/", book)
}

func TestUnreadableCard(t *testing.T) {
	s := New(nil)
	s.AddCard("alice", "contacts", "bad.vcf", "BEGIN:VCARD\r\nhello\r\n")
	query := `<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><d:getetag/>%s</d:prop><c:filter/></c:addressbook-query>`
	mustCall(t, s, 500, "alice", "REPORT", aliceBooks+"contacts/", strings.Replace(query, "%s", "<c:address-data/>", 1), "Depth", "1")
	mustCall(t, s, 207, "alice", "REPORT", aliceBooks+"contacts/", strings.Replace(query, "%s", "", 1), "Depth", "1")
	found := mustCall(t, s, 207, "alice", "PROPFIND", aliceBooks+"contacts/",
		`<d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><c:address-data/></d:prop></d:propfind>`, "Depth", "1")
	if !strings.Contains(found, "hello") {
		t.Errorf("as a property the text is not what is stored: %s", found)
	}
}

// TestSampleContacts: the demo's contacts are ones that the server would take.
func TestSampleContacts(t *testing.T) {
	s := New(&Options{SampleData: true})
	n := 0
	for _, v := range s.account("bob").cards.views() {
		for _, o := range v.sorted() {
			if _, warning, failure := validateVCard(o.data); failure != nil || warning != "" {
				t.Errorf("%s: %v %s", o.uri, failure, warning)
			}
			if v.kind == bookOwn {
				n++
			}
		}
	}
	if n != len(sampleContacts) {
		t.Errorf("%d contacts", n)
	}
	home := mustCall(t, s, 207, "bob", "PROPFIND", "/remote.php/dav/addressbooks/users/bob/", `<d:propfind xmlns:d="DAV:"><d:prop><d:displayname/></d:prop></d:propfind>`, "Depth", "1")
	if !strings.Contains(home, ">Work<") {
		t.Error(home)
	}
}
