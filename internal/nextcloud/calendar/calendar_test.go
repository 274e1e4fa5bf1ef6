package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
)

// fake is a Nextcloud that holds some calendar objects and may be told to
// fail. The simulator is better at being Nextcloud; this one is for what goes
// wrong, and counts.
type fake struct {
	t *testing.T

	mu      sync.Mutex // guards the fields below
	home    string
	zone    string
	objects map[string]string // path -> data
	fail    func(r *http.Request) int
	lose    func(r *http.Request) int // the status instead of a PUT's success; 0 for none
	failed  string                    // body of a failure
	log     []string
	noETag  bool
}

func etagOf(data string) string { return fmt.Sprintf("%x", len(data)*7919+strings.Count(data, "1")) }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	f.log = append(f.log, r.Method+" "+r.URL.Path)
	if m := r.Method; (m == http.MethodPut || m == http.MethodDelete) && r.Header.Get("If-Match") == "" && r.Header.Get("If-None-Match") != "*" {
		f.t.Errorf("%s %s without a condition", m, r.URL.Path)
	}
	if f.fail != nil {
		if status := f.fail(r); status != 0 {
			w.Header().Set("Content-Type", "application/xml; charset=utf-8")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, f.failed)
			return
		}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/cloud/user"):
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"ocs":{"meta":{"status":"ok","statuscode":200},"data":{"id":"alice","email":"alice@example.org","displayname":"Alice","timezone":%q}}}`, f.zone)
	case r.Method == "PROPFIND" && strings.Contains(r.URL.Path, "/principals/"):
		w.WriteHeader(http.StatusNotFound)
	case r.Method == "PROPFIND" && strings.HasSuffix(r.URL.Path, ".ics"):
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>%s</d:href><d:propstat><d:prop><d:getetag>"%s"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`, r.URL.Path, etagOf(f.objects[r.URL.Path]))
	case r.Method == "PROPFIND":
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, f.home)
	case r.Method == "REPORT":
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">`)
		for _, path := range slices.Sorted(keysOf(f.objects)) {
			if strings.HasPrefix(path, r.URL.Path) {
				fmt.Fprintf(w, `<d:response><d:href>%s</d:href><d:propstat><d:prop><d:getetag>"%s"</d:getetag><c:calendar-data><![CDATA[%s]]></c:calendar-data></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`, path, etagOf(f.objects[path]), f.objects[path])
			}
		}
		_, _ = io.WriteString(w, `</d:multistatus>`)
	case r.Method == http.MethodPut:
		f.objects[r.URL.Path] = string(body)
		if f.lose != nil {
			if status := f.lose(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		if !f.noETag {
			w.Header().Set("ETag", `"`+etagOf(string(body))+`"`)
		}
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodGet && f.objects[r.URL.Path] == "":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", `"`+etagOf(f.objects[r.URL.Path])+`"`)
		_, _ = io.WriteString(w, f.objects[r.URL.Path])
	case r.Method == http.MethodDelete:
		delete(f.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		f.t.Errorf("unexpected %s %s", r.Method, r.URL.Path)
	}
}

func keysOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

const (
	personal = "/remote.php/dav/calendars/alice/personal/"
	birthday = "/remote.php/dav/calendars/alice/contact_birthdays/"
)

var today = time.Date(2027, 3, 10, 22, 30, 0, 0, time.UTC)

func newFake(t *testing.T, objects ...string) (*fake, *Client) {
	t.Helper()
	home, err := os.ReadFile("../dav/testdata/home.xml")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, home: string(home), zone: "Europe/Berlin", objects: map[string]string{}}
	for i, o := range objects {
		f.objects[fmt.Sprintf("%s%d.ics", personal, i)] = o
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(nextcloud.New(nextcloud.NewHost(u, nil), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
	c.now = func() time.Time { return today }
	return f, c
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log
	f.log = nil
	return log
}

func icsOf(lines ...string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\nEND:VCALENDAR\n"
}

func TestHome(t *testing.T) {
	f, c := newFake(t)
	list, err := c.Calendars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Title       string
		ReadOnly, Default bool
		Shared            bool
		Components        string
	}
	rows := func(list []Calendar) []row {
		var out []row
		for _, c := range list {
			out = append(out, row{c.Name, c.DisplayName, c.ReadOnly, c.IsDefault, c.Shared, strings.Join(c.Components, " ")})
		}
		return out
	}
	if d := cmp.Diff([]row{
		{"personal", "Personal", false, true, false, "VEVENT"},
		{"contact_birthdays", "Contact birthdays", true, false, false, "VEVENT"},
		{"app-generated--deck--board-1", "Deck: Welcome to Nextcloud Deck!", true, false, false, "VTODO"},
	}, rows(list)); d != "" {
		t.Error(d)
	}
	b, err := os.ReadFile("testdata/home-trashed.xml")
	if err != nil {
		t.Fatal(err)
	}
	f.home = string(b)
	if list, err = c.Calendars(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(list, func(c Calendar) bool { return c.Name == "rec-cal" }) || len(list) != 4 {
		t.Errorf("a calendar in the trash is listed: %+v", rows(list))
	}
	f.home = `<d:multistatus xmlns:d="DAV:" xmlns:cs="http://calendarserver.org/ns/" xmlns:c="urn:ietf:params:xml:ns:caldav">` +
		`<d:response><d:href>/remote.php/dav/calendars/alice/sub/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/><cs:subscribed/></d:resourcetype>` +
		`<cs:source><d:href>https://example.org/x.ics</d:href></cs:source></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>` +
		`<d:response><d:href>https://evil.example/remote.php/dav/calendars/alice/evil/</d:href><d:propstat><d:prop><d:resourcetype><c:calendar/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`
	if list, err = c.Calendars(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || !list[0].ReadOnly || list[0].Source != "https://example.org/x.ics" || list[0].DisplayName != "sub" {
		t.Errorf("subscription = %+v", list)
	}
}

// TestNewAccount: Nextcloud makes the first calendar during the first request.
func TestNewAccount(t *testing.T) {
	f, c := newFake(t)
	full := f.home
	f.home = `<d:multistatus xmlns:d="DAV:"></d:multistatus>`
	listings := 0
	f.fail = func(r *http.Request) int {
		if r.Method == "PROPFIND" && strings.HasSuffix(r.URL.Path, "/calendars/alice/") {
			if listings++; listings == 2 {
				f.home = full
			}
		}
		return 0
	}
	list, err := c.Calendars(t.Context())
	if err != nil || len(list) == 0 {
		t.Errorf("calendars of a new account: %v, %v", list, err)
	}
}

func TestSharedHome(t *testing.T) {
	b, err := os.ReadFile("testdata/home-shared.xml")
	if err != nil {
		t.Fatal(err)
	}
	f, c := newFake(t)
	f.home = string(b)
	list, err := c.Calendars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(c Calendar) bool { return c.Name == "rec-cal_shared_by_alice" })
	if i < 0 || list[i].ReadOnly || list[i].Owner != "Alice Example" {
		t.Errorf("calendars = %+v", list)
	}
}

func TestRequestCounts(t *testing.T) {
	f, c := newFake(t, icsOf("UID:a", "DTSTART:20270311T100000Z", "SUMMARY:A"))
	if _, err := c.Get(t.Context(), "personal", "a", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), Query{Calendar: "Personal"}); err != nil {
		t.Fatal(err)
	}
	f.requests()
	for name, call := range map[string]func() error{
		// Where the object is, is known from before: nobody looks through the calendar for it.
		"GET":    func() error { _, err := c.Get(t.Context(), "personal", "a", ""); return err },
		"REPORT": func() error { _, err := c.List(t.Context(), Query{Calendar: "personal"}); return err },
	} {
		if err := call(); err != nil {
			t.Fatal(err)
		}
		if got := f.requests(); len(got) != 1 || !strings.HasPrefix(got[0], name+" ") {
			t.Errorf("%s asked %q", name, got)
		}
	}
	// All calendars: one request for each that holds events.
	if _, err := c.List(t.Context(), Query{}); err != nil {
		t.Fatal(err)
	}
	got := f.requests()
	slices.Sort(got)
	if d := cmp.Diff([]string{"REPORT " + birthday, "REPORT " + personal}, got); d != "" {
		t.Error(d)
	}
	// A name that is not known is looked for again, once.
	if _, err := c.Get(t.Context(), "nope", "a", ""); !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), "personal (Personal)") {
		t.Errorf("error = %v", err)
	}
	if got := f.requests(); len(got) != 2 {
		t.Errorf("asked %q", got)
	}
}

func TestSkipped(t *testing.T) {
	f, c := newFake(t, icsOf("UID:a", "DTSTART:20270311T100000Z", "SUMMARY:A"), "garbage", icsOf("UID:b", "DTSTART:20270311T110000Z", "RRULE:FREQ=NEVER"))
	f.fail = func(r *http.Request) int {
		if r.Method == "REPORT" && r.URL.Path == birthday {
			return http.StatusForbidden
		}
		return 0
	}
	page, err := c.List(t.Context(), Query{})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Events) != 1 || len(page.Skipped) != 3 {
		t.Errorf("page = %+v", page)
	}
	f.fail = func(r *http.Request) int {
		if r.Method == "REPORT" {
			return http.StatusForbidden
		}
		return 0
	}
	if _, err := c.List(t.Context(), Query{}); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("nothing readable: %v", err)
	}
}

func TestWindow(t *testing.T) {
	// It is 2027-03-10 22:30 UTC, which is the 10th in Berlin and the 11th in
	// Auckland.
	_, c := newFake(t,
		icsOf("UID:past", "DTSTART:20270310T100000Z", "DTEND:20270310T110000Z"),
		icsOf("UID:on", "DTSTART:20270310T220000Z", "DTEND:20270310T230000Z"),
		icsOf("UID:late", "DTSTART:20270409T210000Z", "DTEND:20270409T215959Z"),
		icsOf("UID:later", "DTSTART:20270409T220000Z", "DTEND:20270409T230000Z"))
	for _, tc := range []struct {
		q    Query
		want string
		from string
		to   string
	}{
		{Query{}, "past on late", "2027-03-10", "2027-04-09"},
		{Query{TimeZone: "Pacific/Auckland"}, "on late later", "2027-03-11", "2027-04-10"},
		{Query{Days: 7}, "on", "2027-03-10T23:30:00+01:00", "2027-03-17T23:30:00+01:00"},
		{Query{Start: "2027-04-09"}, "late later", "2027-04-09", "2027-05-09"},
		{Query{End: "2027-03-09"}, "", "2027-02-08", "2027-03-09"},
		{Query{Start: "2027-03-10T11:00:00Z", End: "2027-03-10T22:00:00Z"}, "", "2027-03-10T11:00:00Z", "2027-03-10T22:00:00Z"},
	} {
		page, err := c.List(t.Context(), tc.q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Events {
			if !slices.Contains(got, e.UID) && e.CalendarName == "personal" {
				got = append(got, e.UID)
			}
		}
		if strings.Join(got, " ") != tc.want || page.Asked.Start != tc.from || page.Asked.End != tc.to {
			t.Errorf("%+v: %q %+v", tc.q, got, page.Asked)
		}
	}
	for _, q := range []Query{{Start: "2027-03-11", End: "2027-03-10"}, {Start: "soon"}, {TimeZone: "Nowhere"}, {Start: "2000-01-01", End: "2100-01-01"}, {Cursor: "x"}, {Days: 1 << 20}} {
		if _, err := c.List(t.Context(), q); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

const weekly = "UID:w\nDTSTAMP:20270101T000000Z\nSUMMARY:Weekly\nDTSTART;TZID=Europe/Berlin:20270301T090000\nDTEND;TZID=Europe/Berlin:20270301T100000\nRRULE:FREQ=WEEKLY;COUNT=8"

// TestSplitFails: when the old half cannot be shortened, the new one is taken
// back and the series is as it was.
func TestSplitFails(t *testing.T) {
	f, c := newFake(t, icsOf(weekly))
	before := f.objects[personal+"0.ics"]
	f.fail = func(r *http.Request) int {
		if r.Method == http.MethodPut && r.URL.Path == personal+"0.ics" {
			return http.StatusPreconditionFailed
		}
		return 0
	}
	target := Target{Calendar: "personal", UID: "w", Scope: ThisAndFuture, RecurrenceID: "2027-03-15T09:00"}
	_, err := c.Update(t.Context(), target, Fields{Title: new("New")})
	if !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("error = %v", err)
	}
	if len(f.objects) != 1 || f.objects[personal+"0.ics"] != before {
		t.Errorf("left behind: %v", f.objects)
	}
	// And when even that fails, it says what is there now.
	f.fail = func(r *http.Request) int {
		switch {
		case r.Method == http.MethodDelete:
			return http.StatusInternalServerError
		case r.Method == http.MethodPut && r.URL.Path == personal+"0.ics":
			return http.StatusPreconditionFailed
		}
		return 0
	}
	_, err = c.Update(t.Context(), target, Fields{Title: new("New")})
	if err == nil || errors.Is(err, nextcloud.ErrPrecondition) || !strings.Contains(err.Error(), "there twice") {
		t.Errorf("error = %v", err)
	}
	// The first write failing changes nothing.
	f.objects = map[string]string{personal + "0.ics": before}
	f.fail = func(r *http.Request) int {
		if r.Method == http.MethodPut {
			return http.StatusForbidden
		}
		return 0
	}
	if _, err = c.Update(t.Context(), target, Fields{Title: new("New")}); !errors.Is(err, nextcloud.ErrForbidden) || len(f.objects) != 1 {
		t.Errorf("error = %v, objects = %v", err, f.objects)
	}
}

// TestSplitWithLostAnswers: when nobody knows whether the old half was
// shortened, the new half stays: twice is better than not at all.
func TestSplitWithLostAnswers(t *testing.T) {
	target := Target{Calendar: "personal", UID: "w", Scope: ThisAndFuture, RecurrenceID: "2027-03-15T09:00"}
	old := personal + "0.ics"
	isOld := func(r *http.Request) bool { return r.Method == http.MethodPut && r.URL.Path == old }
	lost := func(status int) func(*http.Request) int {
		return func(r *http.Request) int {
			if isOld(r) {
				return status
			}
			return 0
		}
	}

	t.Run("done all the same", func(t *testing.T) {
		f, c := newFake(t, icsOf(weekly))
		f.lose = lost(http.StatusGatewayTimeout)
		if _, err := c.Update(t.Context(), target, Fields{Title: new("New")}); err != nil {
			t.Errorf("error = %v", err)
		}
		if len(f.objects) != 2 || !strings.Contains(f.objects[old], "UNTIL=") {
			t.Errorf("objects = %v", f.objects)
		}
	})
	t.Run("not done", func(t *testing.T) {
		f, c := newFake(t, icsOf(weekly))
		before := f.objects[old]
		f.fail = lost(http.StatusGatewayTimeout)
		_, err := c.Update(t.Context(), target, Fields{Title: new("New")})
		if !errors.Is(err, nextcloud.ErrPartly) || !strings.Contains(err.Error(), "there twice") {
			t.Errorf("error = %v", err)
		}
		if len(f.objects) != 2 || f.objects[old] != before {
			t.Errorf("objects = %v", f.objects)
		}
	})
	t.Run("refused although done", func(t *testing.T) {
		// A repeated request meets its own success.
		f, c := newFake(t, icsOf(weekly))
		f.lose = lost(http.StatusPreconditionFailed)
		if _, err := c.Update(t.Context(), target, Fields{Title: new("New")}); err != nil {
			t.Errorf("error = %v", err)
		}
		if len(f.objects) != 2 {
			t.Errorf("the later occurrences are gone: %v", f.objects)
		}
	})
	t.Run("the client leaves", func(t *testing.T) {
		f, c := newFake(t, icsOf(weekly))
		ctx, cancel := context.WithCancel(t.Context())
		f.fail = func(r *http.Request) int {
			if isOld(r) {
				cancel()
			}
			return 0
		}
		if _, err := c.Update(ctx, target, Fields{Title: new("New")}); err != nil {
			t.Errorf("error = %v", err)
		}
		if len(f.objects) != 2 || !strings.Contains(f.objects[old], "UNTIL=") {
			t.Errorf("objects = %v", f.objects)
		}
	})
	t.Run("the first answer", func(t *testing.T) {
		f, c := newFake(t, icsOf(weekly))
		before := f.objects[old]
		f.lose = func(*http.Request) int { return http.StatusGatewayTimeout }
		_, err := c.Update(t.Context(), target, Fields{Title: new("New")})
		if !errors.Is(err, nextcloud.ErrPartly) || f.objects[old] != before {
			t.Errorf("error = %v, objects = %v", err, f.objects)
		}
	})
}

func TestWriteAnswers(t *testing.T) {
	f, c := newFake(t)
	f.noETag = true
	w, err := c.Create(t.Context(), "personal", Fields{Title: new("x"), Start: new("2027-03-11T10:00")})
	if err != nil {
		t.Fatal(err)
	}
	if w.ETag == "" || w.TimeZoneUsed != "Europe/Berlin (the person's zone in Nextcloud)" || w.End != "2027-03-11T11:00:00+01:00" {
		t.Errorf("written = %+v", w)
	}
	trash, err := os.ReadFile("testdata/uid-in-trash.xml")
	if err != nil {
		t.Fatal(err)
	}
	f.failed = string(trash)
	f.fail = func(r *http.Request) int {
		if r.Method == http.MethodPut {
			return http.StatusInternalServerError
		}
		return 0
	}
	_, err = c.Create(t.Context(), "personal", Fields{Title: new("x"), Start: new("2027-03-11T10:00")})
	if !errors.Is(err, nextcloud.ErrConflict) || !strings.Contains(err.Error(), "trash") {
		t.Errorf("a uid in the trash: %v", err)
	}
	f.requests()
	if _, err := c.Create(t.Context(), "contact_birthdays", Fields{Title: new("x"), Start: new("2027-03-11")}); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("read-only: %v", err)
	}
	if got := f.requests(); len(got) != 0 {
		t.Errorf("a read-only calendar was asked: %q", got)
	}
}

func TestDeleteScopes(t *testing.T) {
	for scope, want := range map[Scope]string{This: "EXDATE;TZID=Europe/Berlin:20270315T090000", ThisAndFuture: "RRULE:FREQ=WEEKLY;UNTIL=20270315T075959Z", All: ""} {
		f, c := newFake(t, icsOf(weekly))
		d, err := c.Delete(t.Context(), Target{Calendar: "personal", UID: "w", Scope: scope, RecurrenceID: "2027-03-15T09:00:00+01:00"})
		if err != nil {
			t.Fatal(err)
		}
		left := f.objects[personal+"0.ics"]
		if !strings.Contains(left, want) || (left == "") != d.Whole || d.Whole != (scope == All) || d.Rule != "FREQ=WEEKLY;COUNT=8" {
			t.Errorf("%s: %+v\n%s", scope, d, left)
		}
		if scope == All && d.Retention != 30*24*time.Hour {
			t.Errorf("retention = %s", d.Retention)
		}
	}
	// The last occurrence that is left takes the object with it.
	f, c := newFake(t, icsOf(strings.Replace(weekly, "COUNT=8", "COUNT=2", 1), "EXDATE:20270301T080000Z"))
	if d, err := c.Delete(t.Context(), Target{Calendar: "personal", UID: "w", Scope: This, RecurrenceID: "2027-03-08"}); err != nil || !d.Whole || len(f.objects) != 0 {
		t.Errorf("the last one: %+v, %v, %v", d, err, f.objects)
	}
}

func TestLink(t *testing.T) {
	_, c := newFake(t)
	link := c.link(personal + "a.ics")
	const want = "/index.php/apps/calendar/edit/L3JlbW90ZS5waHAvZGF2L2NhbGVuZGFycy9hbGljZS9wZXJzb25hbC9hLmljcw=="
	if !strings.HasSuffix(link, want) {
		t.Errorf("link = %s", link)
	}
}

func TestEventJSON(t *testing.T) {
	_, c := newFake(t, icsOf(weekly, "EXDATE:20270308T080000Z"))
	e, err := c.Get(t.Context(), "personal", "w", "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"uid":"w"`, `"summary":"Weekly"`, `"start":"2027-03-01T09:00:00+01:00"`, `"start_tz":"Europe/Berlin"`, `"calendar_name":"personal"`,
		`"recurring":true`, `"recurrence_rule":"FREQ=WEEKLY;COUNT=8"`, `"exceptions":[{"recurrence_id":"2027-03-08T09:00:00+01:00","deleted":true}]`, `"etag":"`, `"link":"http`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	one, err := c.Get(t.Context(), "personal", "w", "2027-03-29T07:00:00Z")
	if err != nil || one.RecurrenceID != "2027-03-29T09:00:00+02:00" || one.Exceptions != nil {
		t.Errorf("occurrence = %+v, %v", one, err)
	}
}
