package contacts_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/contacts"
)

// png is the smallest thing that looks like a picture.
var png = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"))

// card is a vCard with some lines.
func card(uid, name string, lines ...string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + name + "\r\nN:;" + name + ";;;\r\n" + strings.Join(append(lines, "END:VCARD", ""), "\r\n")
}

// connect serves the tools on a Nextcloud with some contacts.
func connect(t *testing.T) (*nextcloudtest.Server, *tooltest.Session) {
	t.Helper()
	s := nextcloudtest.New(nil)
	s.AddCard("alice", "contacts", "ada.vcf", card("ada", "Ada Lovelace", "EMAIL:ada@example.org", "TEL;TYPE=CELL:+44 20 7946 0000", "CATEGORIES:Friends", "PHOTO;ENCODING=b;TYPE=PNG:"+png))
	s.AddCard("alice", "contacts", "default", card("odd", "Odd File", "EMAIL:odd@example.org"))
	s.AddCard("alice", "contacts", "four.vcf", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:four\r\nFN:Version Four\r\nEND:VCARD\r\n")
	s.AddCard("alice", "work", "ada.vcf", card("ada-work", "Ada Lovelace", "EMAIL:ada@example.org"))
	s.AddCard("bob", "shared", "b.vcf", card("b", "Bob's Friend"))
	if err := s.ShareAddressBook("bob", "shared", "alice", false); err != nil {
		t.Fatal(err)
	}
	return s, tooltest.Connect(t, s, nil, contacts.Tools.Set())
}

// TestRequests holds what each tool costs Nextcloud: cold is a call right after
// the start, warm the same kind of call later.
func TestRequests(t *testing.T) {
	type call struct {
		name, args string
		want       int
	}
	for name, calls := range map[string][]call{
		"address books": {
			{"nc_contacts_list_addressbooks", `{}`, 1},
			{"nc_contacts_create_addressbook", `{"name":"new","display_name":"New"}`, 1},
			{"nc_contacts_update_addressbook", `{"name":"new","display_name":"Newer"}`, 2},
			{"nc_contacts_delete_addressbook", `{"name":"new"}`, 3}, // listing, looking whether it is empty, deleting
		},
		"list": {
			{"nc_contacts_list_contacts", `{"addressbook":"contacts","limit":1}`, 2}, // the state, the contacts
			{"nc_contacts_list_contacts", `{"addressbook":"contacts"}`, 1},           // whether something changed
			{"nc_contacts_list_groups", `{"addressbook":"contacts"}`, 1},
			{"nc_contacts_find_duplicates", `{"addressbook":"contacts"}`, 1},
			{"nc_contacts_export_vcard", `{"addressbook":"contacts"}`, 2},
		},
		"display name": {
			{"nc_contacts_list_contacts", `{"addressbook":"Contacts"}`, 4}, // not there, the listing, and as above
			{"nc_contacts_list_contacts", `{"addressbook":"Contacts"}`, 1},
		},
		"search": {
			{"nc_contacts_search_contacts", `{"query":"ada","addressbook":"contacts"}`, 1},
			{"nc_contacts_search_contacts", `{"query":"7946 0000","addressbook":"contacts"}`, 1},
			{"nc_contacts_search_contacts", `{"query":"ada"}`, 6}, // the listing and five address books
			{"nc_contacts_search_contacts", `{"query":"ada"}`, 5},
		},
		"get": {
			{"nc_contacts_get_contact", `{"addressbook":"contacts","uid":"ada"}`, 1},
			{"nc_contacts_get_contact", `{"addressbook":"contacts","uid":"odd"}`, 3}, // not at its guess, looked for, read
			{"nc_contacts_get_contact", `{"addressbook":"contacts","uid":"odd"}`, 1},
			{"nc_contacts_get_photo", `{"addressbook":"contacts","uid":"ada"}`, 1},
			{"nc_contacts_export_vcard", `{"addressbook":"contacts","uids":["ada"]}`, 1},
		},
		"write": {
			{"nc_contacts_create_contact", `{"addressbook":"contacts","contact_data":{"fn":"Eve"},"uid":"eve"}`, 1},
			{"nc_contacts_update_contact", `{"addressbook":"contacts","uid":"eve","contact_data":{"note":"x"}}`, 2},
			{"nc_contacts_update_contact", `{"addressbook":"contacts","uid":"eve","contact_data":{"note":"x"}}`, 1}, // nothing to change
			{"nc_contacts_set_group", `{"addressbook":"contacts","uid":"eve","group":"A"}`, 2},
			{"nc_contacts_set_photo", `{"addressbook":"contacts","uid":"eve","photo":"` + png + `"}`, 2},
			{"nc_contacts_copy_contact", `{"addressbook":"contacts","uid":"eve","target_addressbook":"work"}`, 2},
			{"nc_contacts_delete_contact", `{"addressbook":"work","uid":"eve"}`, 2},
			{"nc_contacts_move_contact", `{"addressbook":"contacts","uid":"eve","target_addressbook":"work"}`, 3}, // read, look at the target, move
			{"nc_contacts_merge_contacts", `{"addressbook":"work","uid":"ada-work","other_uids":["eve"]}`, 4},     // ada-work is not at its guess
			{"nc_contacts_merge_contacts", `{"addressbook":"work","uid":"ada-work","other_uids":["eve"],"dry_run":false}`, 4},
			{"nc_contacts_import_vcard", `{"addressbook":"work","vcard":"BEGIN:VCARD\nVERSION:3.0\nFN:I\nUID:i\nEND:VCARD\n"}`, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, session := connect(t)
			for _, c := range calls {
				session.Requests()
				session.Read(t, c.name, c.args, nil)
				if got := session.Requests(); got != c.want {
					t.Errorf("%s %s: %d requests, want %d", c.name, c.args, got, c.want)
				}
			}
		})
	}
}

// TestBudget keeps what every client pays for these tools on each connection.
func TestBudget(t *testing.T) {
	total := 0
	set := contacts.Tools.Set()
	for _, tl := range set.Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		t.Logf("%4d %s", len(b), tl.Name)
	}
	if most := 800 * len(set.Tools); total > most {
		t.Errorf("tools take %d bytes of tools/list, more than %d", total, most)
	}
}

// TestReference: what callers of the older server send is understood.
func TestReference(t *testing.T) {
	_, session := connect(t)
	session.Read(t, "nc_contacts_create_contact", `{"addressbook":"contacts","uid":"jane","contact_data":{
		"fn":"Jane Doe","email":"jane@example.org","tel":[{"value":"+1 555 0100","types":"cell"}],"org":"ACME","note":"n","title":"CEO",
		"nickname":"JD","bday":"1980-01-02","categories":"friends","url":"https://jane.example"}}`, nil)
	session.Read(t, "nc_contacts_update_contact", `{"addressbook":"contacts","uid":"jane","contact_data":{"email":["jane@new.example"]},"etag":""}`, nil)
	var got struct {
		Contact map[string]any `json:"contact"`
	}
	session.Read(t, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"jane"}`, &got)
	delete(got.Contact, "etag")
	delete(got.Contact, "rev")
	want := map[string]any{
		"uid": "jane", "addressbook": "contacts", "fn": "Jane Doe", "given_name": "Jane", "family_name": "Doe", "nickname": "JD", "org": "ACME", "title": "CEO",
		"email": []any{map[string]any{"value": "jane@new.example"}}, "tel": []any{map[string]any{"value": "+1 555 0100", "types": []any{"cell"}}},
		"url": []any{map[string]any{"value": "https://jane.example"}}, "bday": "1980-01-02", "note": "n", "categories": []any{"friends"}, "vcard_version": "3.0",
	}
	if diff := cmp.Diff(want, got.Contact); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDeleteAndBack(t *testing.T) {
	_, session := connect(t)
	var gone struct {
		VCard string `json:"vcard"`
		Undo  string `json:"undo"`
	}
	session.Read(t, "nc_contacts_delete_contact", `{"addressbook":"contacts","uid":"ada"}`, &gone)
	if !strings.Contains(gone.VCard, "PHOTO") || !strings.Contains(gone.Undo, "nc_contacts_import_vcard") || !strings.Contains(gone.Undo, `"contacts"`) {
		t.Errorf("deleted = %+v", gone)
	}
	args, err := json.Marshal(map[string]string{"addressbook": "contacts", "vcard": gone.VCard})
	if err != nil {
		t.Fatal(err)
	}
	session.Read(t, "nc_contacts_import_vcard", string(args), nil)
	session.Read(t, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"ada"}`, nil)
}

func TestLargePhotoIsNamed(t *testing.T) {
	s, session := connect(t)
	s.AddCard("alice", "contacts", "big.vcf", card("big", "Big", "PHOTO;ENCODING=b;TYPE=PNG:"+base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 100_000)...))))
	answer := session.Read(t, "nc_contacts_delete_contact", `{"addressbook":"contacts","uid":"big"}`, nil)
	if len(answer) > 5000 || !strings.Contains(answer, "photo is lost") {
		t.Errorf("%d bytes: %.300s", len(answer), answer)
	}
}

func TestPhoto(t *testing.T) {
	s, session := connect(t)
	res, answer := session.Call(t, "nc_contacts_get_photo", `{"addressbook":"contacts","uid":"ada"}`)
	image, ok := res.Content[len(res.Content)-1].(*mcp.ImageContent)
	if res.IsError || !ok || image.MIMEType != "image/png" || !strings.HasPrefix(string(image.Data), "\x89PNG") || strings.Contains(answer, png) {
		t.Errorf("%s %+v", answer, res.Content)
	}
	s.AddCard("alice", "contacts", "far.vcf", card("far", "Far", "PHOTO;VALUE=uri:https://pictures.example/far.jpg"))
	if answer := session.Read(t, "nc_contacts_get_photo", `{"addressbook":"contacts","uid":"far"}`, nil); !strings.Contains(answer, "https://pictures.example/far.jpg") {
		t.Error(answer)
	}
	if answer := session.Refused(t, "nc_contacts_get_photo", `{"addressbook":"contacts","uid":"odd"}`); !strings.Contains(answer, "no photo") {
		t.Error(answer)
	}
}

// TestFaults: each failure has a clear text and leaves everything as it was.
func TestFaults(t *testing.T) {
	const update = `{"addressbook":"contacts","uid":"ada","contact_data":{"note":"new"}}`
	for name, c := range map[string]struct {
		fault      nextcloudtest.Fault
		tool, args string
		says       []string
	}{
		"changed":       {nextcloudtest.Fault{Method: "PUT", Status: 412}, "nc_contacts_update_contact", update, []string{"Nothing was changed", "etag"}},
		"locked":        {nextcloudtest.Fault{Method: "PUT", Status: 423}, "nc_contacts_update_contact", update, []string{"locked", "Try again"}},
		"full":          {nextcloudtest.Fault{Method: "PUT", Status: 507}, "nc_contacts_update_contact", update, []string{"storage"}},
		"busy":          {nextcloudtest.Fault{Method: "PUT", Status: 429, Header: map[string][]string{"Retry-After": {"7"}}}, "nc_contacts_update_contact", update, []string{"Wait 7 seconds"}},
		"cut answer":    {nextcloudtest.Fault{Method: "REPORT", CutBody: 200}, "nc_contacts_list_contacts", `{"addressbook":"contacts"}`, []string{"Could not list contacts"}},
		"garbage":       {nextcloudtest.Fault{Method: "REPORT", GarbageXML: true}, "nc_contacts_list_contacts", `{"addressbook":"contacts"}`, []string{"not the XML that was expected"}},
		"truncated":     {nextcloudtest.Fault{Method: "PROPFIND", GarbageXML: true}, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"ada"}`, []string{"not the XML that was expected"}},
		"web page":      {nextcloudtest.Fault{Method: "PROPFIND", HTML: true}, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"ada"}`, []string{"Could not get contact"}},
		"delete locked": {nextcloudtest.Fault{Method: "DELETE", Status: 423}, "nc_contacts_delete_contact", `{"addressbook":"contacts","uid":"ada"}`, []string{"locked"}},
		"move":          {nextcloudtest.Fault{Method: "MOVE", Status: 503}, "nc_contacts_move_contact", `{"addressbook":"contacts","uid":"ada","target_addressbook":"work"}`, []string{"not available now"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // some wait for their retries
			s, session := connect(t)
			before := session.Read(t, "nc_contacts_export_vcard", `{"addressbook":"contacts","uids":["ada"],"photos":true}`, nil)
			s.Fault(c.fault)
			answer := session.Refused(t, c.tool, c.args)
			for _, want := range c.says {
				if !strings.Contains(answer, want) {
					t.Errorf("no %q in %q", want, answer)
				}
			}
			s.ClearFaults()
			if after := session.Read(t, "nc_contacts_export_vcard", `{"addressbook":"contacts","uids":["ada"],"photos":true}`, nil); after != before {
				t.Errorf("changed all the same: %s", after)
			}
		})
	}
}

// TestReadOnly: what the server would refuse is refused with a reason.
func TestReadOnly(t *testing.T) {
	_, session := connect(t)
	for _, book := range []string{"shared_shared_by_bob", "z-server-generated--system"} {
		for tool, args := range map[string]string{
			"nc_contacts_create_contact": `"contact_data":{"fn":"x"}`, "nc_contacts_update_contact": `"uid":"b","contact_data":{"fn":"x"}`,
			"nc_contacts_delete_contact": `"uid":"b"`, "nc_contacts_import_vcard": `"vcard":"BEGIN:VCARD\nVERSION:3.0\nFN:x\nEND:VCARD"`,
		} {
			if strings.Contains(book, "system") {
				args = strings.Replace(args, `"b"`, `"alice"`, 1)
			}
			if answer := session.Refused(t, tool, fmt.Sprintf(`{"addressbook":%q,%s}`, book, args)); !strings.Contains(answer, "only read") && !strings.Contains(answer, "only be read") {
				t.Errorf("%s in %s: %s", tool, book, answer)
			}
		}
	}
	answer := session.Refused(t, "nc_contacts_move_contact", `{"addressbook":"contacts","uid":"ada","target_addressbook":"shared_shared_by_bob"}`)
	if !strings.Contains(answer, "only read") && !strings.Contains(answer, "only be read") {
		t.Error(answer)
	}
	if answer := session.Read(t, "nc_contacts_delete_addressbook", `{"name":"shared_shared_by_bob"}`, nil); !strings.Contains(answer, "given up") {
		t.Error(answer)
	}
}

// TestUnreadable: a card that another program left broken is named, and the
// others are there.
func TestUnreadable(t *testing.T) {
	s, session := connect(t)
	s.AddCard("alice", "contacts", "broken.vcf", "BEGIN:VCARD\r\nFN:never ends\r\n")
	s.AddCard("alice", "contacts", "text.vcf", "hello")
	var page struct {
		Items   []map[string]any    `json:"items"`
		Skipped []map[string]string `json:"skipped"`
	}
	for _, tool := range []string{"nc_contacts_list_contacts", "nc_contacts_list_contacts", "nc_contacts_find_duplicates"} {
		session.Read(t, tool, `{"addressbook":"contacts"}`, &page)
		if len(page.Skipped) != 2 || page.Skipped[0]["name"] != "broken.vcf" {
			t.Errorf("%s: skipped %v", tool, page.Skipped)
		}
	}
	session.Read(t, "nc_contacts_search_contacts", `{"query":"ada","addressbook":"contacts"}`, &page)
	if len(page.Items) != 1 || page.Items[0]["uid"] != "ada" {
		t.Errorf("found %v", page.Items)
	}
	session.Read(t, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"odd"}`, nil)
	if answer := session.Refused(t, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"text"}`); !strings.Contains(answer, "cannot be read") {
		t.Error(answer)
	}
}

func TestMergePreview(t *testing.T) {
	s, session := connect(t)
	s.AddCard("alice", "contacts", "ada2.vcf", card("ada2", "Ada Lovelace", "EMAIL:countess@example.org", "TITLE:Countess"))
	var sets struct {
		Items []struct {
			Reasons  []string         `json:"reasons"`
			Contacts []map[string]any `json:"contacts"`
		} `json:"items"`
	}
	session.Read(t, "nc_contacts_find_duplicates", `{"addressbook":"contacts"}`, &sets)
	if len(sets.Items) != 1 || !slices.Equal(sets.Items[0].Reasons, []string{"name"}) || len(sets.Items[0].Contacts) != 2 {
		t.Errorf("duplicates %+v", sets)
	}
	preview := session.Read(t, "nc_contacts_merge_contacts", `{"addressbook":"contacts","uid":"ada","other_uids":["ada2"]}`, nil)
	if !strings.Contains(preview, `"dry_run":true`) || !strings.Contains(preview, "countess@example.org") {
		t.Error(preview)
	}
	session.Read(t, "nc_contacts_get_contact", `{"addressbook":"contacts","uid":"ada2"}`, nil)
	// The second half fails: it is said what is there now.
	s.Fault(nextcloudtest.Fault{Method: "DELETE", Status: 403})
	answer := session.Refused(t, "nc_contacts_merge_contacts", `{"addressbook":"contacts","uid":"ada","other_uids":["ada2"],"dry_run":false}`)
	if !strings.Contains(answer, "only partly done") || !strings.Contains(answer, "ada2") {
		t.Error(answer)
	}
	s.ClearFaults()
	done := session.Read(t, "nc_contacts_merge_contacts", `{"addressbook":"contacts","uid":"ada","other_uids":["ada2"],"dry_run":false}`, nil)
	if !strings.Contains(done, "nc_contacts_import_vcard") || !strings.Contains(done, "UID:ada2") {
		t.Error(done)
	}
}

func TestBadInput(t *testing.T) {
	_, session := connect(t)
	for args, says := range map[string]string{
		`{"addressbook":"contacts","contact_data":{"fn":"x","bday":"1.2.1980"}}`:                          "YYYY-MM-DD",
		`{"addressbook":"contacts","contact_data":{"fn":"x","email":"nobody"}}`:                           "no mail address",
		`{"addressbook":"contacts","contact_data":{"fn":"x","email":[{"types":["home"]}]}}`:               "contact_data",
		`{"addressbook":"contacts","contact_data":{"fn":"x","phone":"1"}}`:                                "tel",
		`{"addressbook":"contacts","contact_data":{}}`:                                                    "needs a name",
		`{"addressbook":"contacts","uid":"../x","contact_data":{"fn":"x"}}`:                               "character",
		`{"addressbook":"../../calendars","contact_data":{"fn":"x"}}`:                                     "no address book",
		`{"addressbook":"contacts","uid":"a\u0000b","contact_data":{"fn":"x"}}`:                           "character",
		`{"addressbook":"nowhere","contact_data":{"fn":"x"}}`:                                             "contacts (Contacts)",
		`{"addressbook":"contacts","uid":"ada","contact_data":{"fn":"x"}}`:                                "exists",
		`{"addressbook":"contacts","contact_data":{"fn":"x","photo":"` + strings.Repeat("A", 400) + `"}}`: "neither JPEG",
	} {
		if answer := session.Refused(t, "nc_contacts_create_contact", args); !strings.Contains(answer, says) {
			t.Errorf("%s: no %q in %q", args, says, answer)
		}
	}
	for args, says := range map[string]string{
		`{"addressbook":"contacts","uid":"ada","remove":[{"field":"email","value":"x@y.example"}]}`:        "ada@example.org",
		`{"addressbook":"contacts","uid":"ada","add":[{"field":"bday","value":"x"}]}`:                      "email, tel",
		`{"addressbook":"contacts","uid":"ada","etag":"old","contact_data":{"note":"x"}}`:                  "changed since it was read",
		`{"addressbook":"contacts","uid":"nobody","contact_data":{"note":"x"}}`:                            "no contact with the uid or name",
		`{"addressbook":"contacts","uid":"ada","contact_data":{"fn":"","given_name":"","family_name":""}}`: "",
	} {
		if says == "" {
			continue
		}
		if answer := session.Refused(t, "nc_contacts_update_contact", args); !strings.Contains(answer, says) {
			t.Errorf("%s: no %q in %q", args, says, answer)
		}
	}
}
