package contacts_test

import (
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// many is how many contacts a large address book has.
const many = 5000

// large is a Nextcloud with a large address book, some with pictures.
func large(tb testing.TB) *httptest.Server {
	tb.Helper()
	s := nextcloudtest.New(nil)
	photo := base64.StdEncoding.EncodeToString(make([]byte, 3000))
	for i := range many {
		lines := []string{
			"BEGIN:VCARD", "VERSION:3.0", fmt.Sprintf("UID:contact-%05d", i), fmt.Sprintf("FN:Person %05d Müller", many-i), fmt.Sprintf("N:Müller;Person %05d;;;", many-i),
			fmt.Sprintf("EMAIL;TYPE=WORK:person%d@example.org", i), fmt.Sprintf("TEL;TYPE=CELL:+49 170 %07d", i), "ORG:Example;Department", "CATEGORIES:Everybody",
			"NOTE:some words that nobody reads in a list\\, but that are there", "ADR;TYPE=HOME:;;Street 1;City;;12345;Germany",
		}
		if i%10 == 0 {
			lines = append(lines, "PHOTO;ENCODING=b;TYPE=PNG:"+photo)
		}
		s.AddCard("alice", "contacts", fmt.Sprintf("contact-%05d.vcf", i), strings.Join(append(lines, "END:VCARD", ""), "\r\n"))
	}
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	return server
}

// client has an empty memory of its own.
func client(tb testing.TB, server *httptest.Server) (*contacts.Client, *nextcloud.Client) {
	tb.Helper()
	base, err := url.Parse(server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	nc := nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Basic{LoginName: "alice", Password: "alice-password-1"}, &nextcloud.ClientOptions{UserID: "alice"})
	return contacts.New(nc), nc
}

// raw asks for the same properties of all contacts as a list does, and looks
// into nothing.
func raw(tb testing.TB, nc *nextcloud.Client) int {
	tb.Helper()
	const query = `<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><d:getetag/><c:address-data><c:prop name="UID"/><c:prop name="FN"/><c:prop name="N"/><c:prop name="NICKNAME"/><c:prop name="EMAIL"/><c:prop name="TEL"/><c:prop name="ORG"/><c:prop name="CATEGORIES"/></c:address-data></d:prop><c:filter/></c:addressbook-query>`
	res, err := nc.Do(tb.Context(), nextcloud.Request{
		Op: "report", Method: "REPORT", Path: "/remote.php/dav/addressbooks/users/alice/contacts/", Header: map[string][]string{"Depth": {"1"}},
		Body: []byte(query), Type: "application/xml", MaxBody: 64 << 20,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return len(res.Body)
}

// TestLargeBook walks through an address book of 5,000 contacts.
func TestLargeBook(t *testing.T) {
	server := large(t)
	c, _ := client(t, server)
	seen := map[string]bool{}
	q := contacts.Query{Addressbook: "contacts", Limit: contacts.MaxLimit}
	last := ""
	for range many {
		p, err := c.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Items {
			if seen[s.UID] || s.Name < last {
				t.Fatalf("%s is there twice, or out of order", s.UID)
			}
			seen[s.UID], last = true, s.Name
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			break
		}
	}
	if len(seen) != many {
		t.Errorf("%d contacts", len(seen))
	}
}

// BenchmarkFirstPage is the first page of a large address book, by a client
// that knows nothing yet. x-raw is how many times the bare answer of the
// server it takes; the aim is below 2.
func BenchmarkFirstPage(b *testing.B) {
	server := large(b)
	_, nc := client(b, server)
	raw(b, nc)
	var bare, mine time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		raw(b, nc)
		bare += time.Since(start)
		c, _ := client(b, server)
		start = time.Now()
		if _, err := c.List(b.Context(), contacts.Query{Addressbook: "contacts"}); err != nil {
			b.Fatal(err)
		}
		mine += time.Since(start)
	}
	b.ReportMetric(float64(mine)/float64(bare), "x-raw")
}

// BenchmarkNextPage is a further page, when nothing has changed.
func BenchmarkNextPage(b *testing.B) {
	c, _ := client(b, large(b))
	p, err := c.List(b.Context(), contacts.Query{Addressbook: "contacts"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.List(b.Context(), contacts.Query{Addressbook: "contacts", Cursor: p.Next}); err != nil {
			b.Fatal(err)
		}
	}
}
