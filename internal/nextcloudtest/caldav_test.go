package nextcloudtest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	aliceHome     = "/remote.php/dav/calendars/alice/"
	alicePersonal = aliceHome + "personal/"
	bobPersonal   = "/remote.php/dav/calendars/bob/personal/"
)

func simpleEvent(uid string) string {
	return event(uid, "DTSTART:20261201T090000Z", "DTEND:20261201T100000Z", "SUMMARY:"+uid)
}

func shareBody(uid string, readWrite bool) string {
	access := ""
	if readWrite {
		access = "<oc:read-write/>"
	}
	return `<oc:share xmlns:oc="http://owncloud.org/ns" xmlns:d="DAV:"><oc:set><d:href>principal:principals/users/` + uid + `</d:href>` + access + `</oc:set></oc:share>`
}

func query(filter string) string {
	return `<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name="VCALENDAR">` +
		filter + `</c:comp-filter></c:filter></c:calendar-query>`
}

func TestReadOnlyShare(t *testing.T) {
	s := New(nil)
	mustCall(t, s, 201, "bob", "PUT", bobPersonal+"e.ics", simpleEvent("e"))
	mustCall(t, s, 200, "bob", "POST", bobPersonal, shareBody("alice", false))
	shared := aliceHome + "personal_shared_by_bob/"
	mustCall(t, s, 200, "alice", "GET", shared+"e.ics", "")
	for _, write := range []struct{ method, path, body, privilege string }{
		{"PUT", shared + "new.ics", simpleEvent("new"), "bind"},
		{"PUT", shared + "e.ics", simpleEvent("e"), "write-content"},
		{"DELETE", shared + "e.ics", "", "unbind"},
	} {
		body := mustCall(t, s, 403, "alice", write.method, write.path, write.body)
		if !strings.Contains(body, "NeedPrivileges") || !strings.Contains(body, "{DAV:}"+write.privilege) {
			t.Errorf("%s %s answered %s", write.method, write.path, body)
		}
	}
	home := mustCall(t, s, 207, "alice", "PROPFIND", aliceHome,
		`<propfind xmlns="DAV:"><prop><displayname/><read-only xmlns="http://owncloud.org/ns"/></prop></propfind>`, "Depth", "1")
	if !strings.Contains(home, "Personal (Bob Example)") || !strings.Contains(home, "<oc:read-only>1</oc:read-only>") {
		t.Errorf("home lists %s", home)
	}

	mustCall(t, s, 200, "bob", "POST", bobPersonal, shareBody("alice", true))
	mustCall(t, s, 204, "alice", "PUT", shared+"e.ics", simpleEvent("e"))
	// Leaving a share does not delete the calendar.
	mustCall(t, s, 204, "alice", "DELETE", shared, "")
	mustCall(t, s, 404, "alice", "GET", shared+"e.ics", "")
	mustCall(t, s, 200, "bob", "GET", bobPersonal+"e.ics", "")
}

func TestSubscriptionIsACalendarOnlyWhenAskedFor(t *testing.T) {
	s := New(nil)
	s.AddSubscription("alice", "feiertage", "webcal://example.org/holidays.ics", simpleEvent("holiday"))
	plain := mustCall(t, s, 207, "alice", "PROPFIND", aliceHome+"feiertage/", "", "Depth", "0")
	if !strings.Contains(plain, "<cs:subscribed/>") || strings.Contains(plain, "<cal:calendar/>") {
		t.Errorf("without the header: %s", plain)
	}
	mustCall(t, s, 404, "alice", "GET", aliceHome+"feiertage/feed-1.ics", "")
	cached := mustCall(t, s, 207, "alice", "PROPFIND", aliceHome+"feiertage/", "", "Depth", "1", "X-NC-CalDAV-Webcal-Caching", "On")
	if !strings.Contains(cached, "<cal:calendar/>") || !strings.Contains(cached, "feed-1.ics") {
		t.Errorf("with the header: %s", cached)
	}
	mustCall(t, s, 403, "alice", "PUT", aliceHome+"feiertage/x.ics", simpleEvent("x"), "X-NC-CalDAV-Webcal-Caching", "On")

	mkcol := `<mkcol xmlns="DAV:" xmlns:cs="http://calendarserver.org/ns/"><set><prop><resourcetype><collection/><cs:subscribed/></resourcetype>` +
		`<cs:source><href>webcal://example.org/x.ics</href></cs:source></prop></set></mkcol>`
	mustCall(t, s, 201, "alice", "MKCOL", aliceHome+"feed/", mkcol)
	if got := mustCall(t, s, 207, "alice", "PROPFIND", aliceHome+"feed/", `<propfind xmlns="DAV:"><prop><source xmlns="http://calendarserver.org/ns/"/></prop></propfind>`, "Depth", "0"); !strings.Contains(got, "webcal://example.org/x.ics") {
		t.Errorf("source: %s", got)
	}
}

func TestTrash(t *testing.T) {
	s := New(nil)
	mustCall(t, s, 201, "alice", "PUT", alicePersonal+"a.ics", simpleEvent("a"))
	// The header that keeps calendars out of the trash does nothing for objects.
	mustCall(t, s, 204, "alice", "DELETE", alicePersonal+"a.ics", "", "X-NC-CalDAV-No-Trashbin", "1")
	mustCall(t, s, 500, "alice", "PUT", alicePersonal+"a.ics", simpleEvent("a"))
	// The trash of one calendar does not bar another.
	mustCall(t, s, 201, "alice", "MKCALENDAR", aliceHome+"other/", "")
	mustCall(t, s, 201, "alice", "PUT", aliceHome+"other/a.ics", simpleEvent("a"))
	mustCall(t, s, 500, "alice", "MOVE", aliceHome+"other/a.ics", "", "Destination", alicePersonal+"b.ics")
	mustCall(t, s, 200, "alice", "GET", aliceHome+"other/a.ics", "")

	mustCall(t, s, 501, "alice", "PROPFIND", aliceHome+"trashbin/objects/", "", "Depth", "1")
	objects := mustCall(t, s, 207, "alice", "REPORT", aliceHome+"trashbin/objects/", query(`<c:comp-filter name="VEVENT"/>`), "Depth", "1")
	_, rest, found := strings.Cut(objects, "<d:href>"+aliceHome+"trashbin/objects/")
	name, _, _ := strings.Cut(rest, "</d:href>")
	if !found || !strings.HasSuffix(name, ".ics") {
		t.Fatalf("trash lists %s", objects)
	}
	mustCall(t, s, 404, "bob", "GET", aliceHome+"trashbin/objects/"+name, "")
	mustCall(t, s, 204, "alice", "DELETE", aliceHome+"trashbin/objects/"+name, "")
	mustCall(t, s, 201, "alice", "PUT", alicePersonal+"a.ics", simpleEvent("a"))
}

func TestTrashedCalendarComesBack(t *testing.T) {
	s := New(nil)
	cal := aliceHome + "cal/"
	mustCall(t, s, 201, "alice", "MKCALENDAR", cal, "")
	mustCall(t, s, 201, "alice", "PUT", cal+"a.ics", simpleEvent("a"))
	mustCall(t, s, 204, "alice", "DELETE", cal, "")
	mustCall(t, s, 404, "alice", "GET", cal+"a.ics", "")
	mustCall(t, s, 201, "alice", "MOVE", cal, "", "Destination", "http://example.com"+aliceHome+"trashbin/restore/file")
	mustCall(t, s, 200, "alice", "GET", cal+"a.ics", "")
	mustCall(t, s, 204, "alice", "DELETE", cal, "")
	mustCall(t, s, 204, "alice", "DELETE", cal, "")
	mustCall(t, s, 201, "alice", "MKCALENDAR", cal, "")
}

func TestPutRefusals(t *testing.T) {
	s := New(nil)
	for _, test := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"method", strings.Replace(simpleEvent("e"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), 415, "MUST NOT have a METHOD"},
		{"no start", event("e", "SUMMARY:x"), 415, "DTSTART MUST appear exactly once"},
		{"no time", event("e", "DTSTART:20261201T090000Z", "CREATED:yesterday"), 415, "The supplied value (yesterday) is not a correct DATE-TIME"},
		{"no date", event("e", "DTSTART;VALUE=DATE:20261201T090000Z"), 415, "not a correct DATE"},
		{"task of days and times", strings.ReplaceAll(event("e", "DTSTART;VALUE=DATE:20261201", "DUE:20261202T090000Z"), "VEVENT", "VTODO"), 415, "must be identical for DUE and DTSTART"},
		{"task due too early", strings.ReplaceAll(event("e", "DTSTART;VALUE=DATE:20261203", "DUE;VALUE=DATE:20261202"), "VEVENT", "VTODO"), 415, "DUE must occur after DTSTART"},
		{"two summaries", event("e", "DTSTART:20261201T090000Z", "SUMMARY:a", "SUMMARY:b"), 415, "SUMMARY MUST NOT appear more than once"},
		{"two uids", strings.Replace(simpleEvent("a"), "END:VCALENDAR\r\n", "", 1) + strings.SplitN(simpleEvent("b"), "EN\r\n", 2)[1], 415, "same UID"},
		{"empty", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n", 415, "at least 1 component"},
		{"cut", strings.TrimSuffix(simpleEvent("e"), "END:VCALENDAR\r\n"), 415, "prematurely"},
		{"no instances", event("e", "DTSTART:20261201T090000Z", "RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20261201T090000Z"), 403, "any valid instances"},
		{"component", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VFREEBUSY\r\nUID:f\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n", 400, "not allowed to create components"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if body := mustCall(t, s, test.status, "alice", "PUT", alicePersonal+"e.ics", test.body); !strings.Contains(body, test.says) {
				t.Errorf("answer %s does not say %q", body, test.says)
			}
		})
	}
	mustCall(t, s, 412, "alice", "PUT", alicePersonal+"none.ics", simpleEvent("e"), "If-Match", `"x"`)
	mustCall(t, s, 403, "alice", "PUT", aliceHome+"contact_birthdays/e.ics", simpleEvent("e"))
	mustCall(t, s, 403, "alice", "PUT", aliceHome+"app-generated--deck--board-1/e.ics", simpleEvent("e"))
}

func TestPutKeepsTheTextAsItWas(t *testing.T) {
	s := New(nil)
	text := strings.ReplaceAll(event("e", "DTSTART:20261201T090000Z", "X-Odd;X-P=\"a;b:c\":va\\,lue", "SUMMARY:no\r\n  fold"), "\r\n", "\n")
	w := call(s, "alice", "PUT", alicePersonal+"e.ics", text)
	if w.Code != http.StatusCreated || w.Header().Get("ETag") != `"`+md5Hex(text)+`"` {
		t.Fatalf("PUT: %d, ETag %s", w.Code, w.Header().Get("ETag"))
	}
	if got := mustCall(t, s, 200, "alice", "GET", alicePersonal+"e.ics", ""); got != text {
		t.Errorf("GET returned %q", got)
	}
}

func TestInvitationTravels(t *testing.T) {
	s := New(nil)
	invite := event("meet", "DTSTART:20261203T090000Z", "DTEND:20261203T100000Z", "SUMMARY:Meeting",
		"ORGANIZER:mailto:alice@example.org", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org")
	if etag := call(s, "alice", "PUT", alicePersonal+"m.ics", invite).Header().Get("ETag"); etag != "" {
		t.Errorf("an ETag was sent for an object that the server changed: %s", etag)
	}
	copies := s.account("bob").calendars.find("personal", false)
	o := copies.byUID("meet")
	if o == nil {
		t.Fatal("bob got nothing")
	}
	mustCall(t, s, 204, "bob", "PUT", bobPersonal+o.uri, strings.Replace(o.data, "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", 1))
	if got := mustCall(t, s, 200, "alice", "GET", alicePersonal+"m.ics", ""); !strings.Contains(got, "PARTSTAT=ACCEPTED") {
		t.Errorf("alice does not know that bob comes: %s", got)
	}
	mustCall(t, s, 204, "alice", "DELETE", alicePersonal+"m.ics", "")
	if got := mustCall(t, s, 200, "bob", "GET", bobPersonal+o.uri, ""); !strings.Contains(got, "STATUS:CANCELLED") {
		t.Errorf("bob does not know that the meeting is off: %s", got)
	}
	if n := len(s.account("bob").calendars.inbox); n != 2 {
		t.Errorf("bob has %d messages, want 2", n)
	}
}

func TestQueryRules(t *testing.T) {
	s := New(nil)
	mustCall(t, s, 201, "alice", "MKCALENDAR", aliceHome+"q/", "")
	put := func(name, body string) { mustCall(t, s, 201, "alice", "PUT", aliceHome+"q/"+name+".ics", body) }
	todo := func(uid string, lines ...string) string {
		return strings.ReplaceAll(event(uid, lines...), "VEVENT", "VTODO")
	}
	put("weekly", event("weekly", "DTSTART;TZID=Europe/Berlin:20260105T003000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", "SUMMARY:Weekly"))
	put("allday", event("allday", "DTSTART;VALUE=DATE:20260304", "SUMMARY:Größe"))
	put("alarm", event("alarm", "DTSTART:20260401T120000Z", "SUMMARY:alarm", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT1H", "END:VALARM"))
	put("open", todo("open", "SUMMARY:open"))
	put("going", todo("going", "SUMMARY:going", "STATUS:IN-PROCESS"))
	vevent := func(inner string) string { return `<c:comp-filter name="VEVENT">` + inner + `</c:comp-filter>` }
	between := func(start, end string) string { return `<c:time-range start="` + start + `" end="` + end + `"/>` }
	for _, test := range []struct {
		name, filter string
		want         []string
	}{
		// Monday 00:30 in Berlin is Sunday evening in UTC.
		{"zone", vevent(between("20260621T220000Z", "20260621T225900Z")), []string{"weekly"}},
		{"zone after", vevent(between("20260621T233000Z", "20260622T100000Z")), nil},
		{"open end", vevent(`<c:time-range start="20300101T000000Z"/>`), []string{"weekly"}},
		{"whole day", vevent(between("20260304T230000Z", "20260304T233000Z")), []string{"allday"}},
		{"day after", vevent(between("20260305T000000Z", "20260305T010000Z")), nil},
		{"alarm", vevent(`<c:comp-filter name="VALARM">` + between("20260401T105900Z", "20260401T110100Z") + `</c:comp-filter>`), []string{"alarm"}},
		{"no alarm", vevent(`<c:comp-filter name="VALARM"><c:is-not-defined/></c:comp-filter>`), []string{"allday", "weekly"}},
		{"case", vevent(`<c:prop-filter name="SUMMARY"><c:text-match>GRÖSSE</c:text-match></c:prop-filter>`), nil},
		{"fold", vevent(`<c:prop-filter name="SUMMARY"><c:text-match collation="i;unicode-casemap">GRÖ</c:text-match></c:prop-filter>`), []string{"allday"}},
		{"octet", vevent(`<c:prop-filter name="SUMMARY"><c:text-match collation="i;octet">GRÖ</c:text-match></c:prop-filter>`), nil},
		// A task without STATUS is not found by a negated match.
		{"negate", `<c:comp-filter name="VTODO"><c:prop-filter name="STATUS"><c:text-match negate-condition="yes">COMPLETED</c:text-match></c:prop-filter></c:comp-filter>`, []string{"going"}},
		{"undated tasks are always due", `<c:comp-filter name="VTODO">` + between("20000101T000000Z", "20000102T000000Z") + `</c:comp-filter>`, []string{"going", "open"}},
		{"parameter", vevent(`<c:prop-filter name="DTSTART"><c:param-filter name="TZID"><c:text-match>berlin</c:text-match></c:param-filter></c:prop-filter>`), []string{"weekly"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := mustCall(t, s, 207, "alice", "REPORT", aliceHome+"q/", query(test.filter), "Depth", "1")
			var got []string
			for part := range strings.SplitSeq(body, "<d:href>"+aliceHome+"q/") {
				if name, _, found := strings.Cut(part, ".ics</d:href>"); found {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("found %v, want %v", got, test.want)
			}
		})
	}
	for name, body := range map[string]string{
		"range backwards":   query(vevent(between("20260302T000000Z", "20260301T000000Z"))),
		"range of calendar": query(between("20260302T000000Z", "20260303T000000Z")),
		"collation":         query(vevent(`<c:prop-filter name="SUMMARY"><c:text-match collation="i;nonsense">x</c:text-match></c:prop-filter>`)),
		"no filter":         `<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav"/>`,
		"broken":            "<broken",
	} {
		t.Run(name, func(t *testing.T) {
			mustCall(t, s, 400, "alice", "REPORT", aliceHome+"q/", body, "Depth", "1")
		})
	}
	// Without a Depth header it counts as 0, which is refused.
	mustCall(t, s, 400, "alice", "REPORT", aliceHome+"q/", query(""))
}

// The place an instance was moved away from still matches, as the series is tested without its overrides.
func TestMovedInstanceStillMatches(t *testing.T) {
	s := New(nil)
	text := strings.Replace(event("s", "DTSTART:20260105T090000Z", "DTEND:20260105T100000Z", "RRULE:FREQ=WEEKLY;COUNT=3"), "END:VCALENDAR",
		"BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T000000Z\r\nRECURRENCE-ID:20260112T090000Z\r\nDTSTART:20260113T090000Z\r\nDTEND:20260113T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR", 1)
	mustCall(t, s, 201, "alice", "PUT", alicePersonal+"s.ics", text)
	monday := `<c:comp-filter name="VEVENT"><c:time-range start="20260112T000000Z" end="20260113T000000Z"/></c:comp-filter>`
	if body := mustCall(t, s, 207, "alice", "REPORT", alicePersonal, query(monday), "Depth", "1"); !strings.Contains(body, "s.ics") {
		t.Errorf("query found %s", body)
	}
	calendar, err := parseICal(text)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)
	if got := calendar.instances(from, from.AddDate(0, 0, 1)); len(got) != 0 {
		t.Errorf("but expanding it finds %v there", got)
	}
}

func TestSyncCollectionWithLimit(t *testing.T) {
	s := New(nil)
	for _, uid := range []string{"a", "b", "c"} {
		mustCall(t, s, 201, "alice", "PUT", alicePersonal+uid+".ics", simpleEvent(uid))
	}
	body := mustCall(t, s, 207, "alice", "REPORT", alicePersonal,
		`<sync-collection xmlns="DAV:"><sync-token>http://sabre.io/ns/sync/1</sync-token><sync-level>1</sync-level><limit><nresults>2</nresults></limit><prop><getetag/></prop></sync-collection>`)
	if !strings.Contains(body, "b.ics") || strings.Contains(body, "c.ics") || !strings.Contains(body, "<d:sync-token>http://sabre.io/ns/sync/3</d:sync-token>") {
		t.Errorf("first page %s", body)
	}
}

func TestPropPatchIsAllOrNothing(t *testing.T) {
	s := New(nil)
	body := mustCall(t, s, 207, "alice", "PROPPATCH", alicePersonal,
		`<propertyupdate xmlns="DAV:"><set><prop><displayname>New</displayname><getetag>x</getetag></prop></set></propertyupdate>`)
	if !strings.Contains(body, "403 Forbidden") || !strings.Contains(body, "424 Failed Dependency") {
		t.Errorf("answer %s", body)
	}
	if got := s.account("alice").calendars.calendars[0].displayName(); got != "Personal" {
		t.Errorf("the name is %q", got)
	}
	zone := "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nEND:VTIMEZONE\nEND:VCALENDAR"
	mustCall(t, s, 207, "alice", "PROPPATCH", alicePersonal,
		`<propertyupdate xmlns="DAV:"><set><prop><calendar-timezone xmlns="urn:ietf:params:xml:ns:caldav">`+zone+`</calendar-timezone></prop></set></propertyupdate>`)
	got := mustCall(t, s, 207, "alice", "PROPFIND", alicePersonal, `<propfind xmlns="DAV:"><prop><calendar-timezone xmlns="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`, "Depth", "0")
	if !strings.Contains(got, "TZID:Europe/Berlin") {
		t.Errorf("calendar-timezone: %s", got)
	}
}

func TestDAVDiscovery(t *testing.T) {
	s := New(nil)
	if body := mustCall(t, s, 207, "bob", "PROPFIND", "/remote.php/dav/", `<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>`, "Depth", "0"); !strings.Contains(body, "/remote.php/dav/principals/users/bob/") {
		t.Errorf("principal: %s", body)
	}
	mustCall(t, s, 404, "alice", "PROPFIND", "/remote.php/dav/principals/users/nobody/", "", "Depth", "0")
	mustCall(t, s, 501, "alice", "FOO", "/remote.php/dav/calendars/alice/", "")
	// Another user's home looks empty instead of forbidden; what is in it does not exist.
	mustCall(t, s, 207, "alice", "PROPFIND", "/remote.php/dav/files/bob/", "", "Depth", "1")
	mustCall(t, s, 404, "alice", "PROPFIND", "/remote.php/dav/files/bob/Notes", "", "Depth", "0")
	mustCall(t, s, 404, "alice", "PUT", bobPersonal+"x.ics", simpleEvent("x"))
}

func FuzzCalendarQuery(f *testing.F) {
	for _, filter := range []string{
		`<c:comp-filter name="VEVENT"><c:time-range start="20260101T000000Z" end="20270101T000000Z"/></c:comp-filter>`,
		`<c:comp-filter name="VTODO"><c:prop-filter name="STATUS"><c:text-match negate-condition="yes">x</c:text-match></c:prop-filter></c:comp-filter>`,
		`<c:comp-filter name="VEVENT"><c:comp-filter name="VALARM"><c:time-range start="20260101T000000Z"/></c:comp-filter></c:comp-filter>`,
		`<c:comp-filter name="VEVENT"><c:prop-filter name="DTSTART"><c:time-range end="20270101T000000Z"/><c:param-filter name="TZID"><c:is-not-defined/></c:param-filter></c:prop-filter></c:comp-filter>`,
	} {
		f.Add(query(filter))
	}
	f.Add(`<d:sync-collection xmlns:d="DAV:"><d:sync-token>http://sabre.io/ns/sync/-5</d:sync-token><d:limit><d:nresults>-1</d:nresults></d:limit></d:sync-collection>`)
	f.Add(`<c:calendar-multiget xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:href>%zz</d:href><d:href/></c:calendar-multiget>`)
	f.Add(`<c:free-busy-query xmlns:c="urn:ietf:params:xml:ns:caldav"><c:time-range start="20260101T000000Z" end="20270101T000000Z"/></c:free-busy-query>`)
	f.Add(`<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:prop><c:calendar-data><c:expand start="00010101T000000Z" end="99991231T235959Z"/></c:calendar-data></d:prop><c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>`)
	s := New(&Options{Now: func() time.Time { return recordedDay }})
	s.loadSample()
	call(s, "alice", "PUT", alicePersonal+"weekly.ics", event("weekly", "DTSTART;TZID=Europe/Berlin:20260105T003000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM"))
	f.Fuzz(func(t *testing.T, body string) {
		w := call(s, "alice", "REPORT", alicePersonal, body, "Depth", "1")
		switch w.Code {
		case 200, 207, 400, 403, 507:
		default:
			t.Errorf("status %d for %q", w.Code, body)
		}
		if w.Code == 207 {
			if _, err := parseXML(w.Body.Bytes()); err != nil {
				t.Errorf("answer is not well-formed: %v\n%s", err, w.Body)
			}
		}
	})
}
