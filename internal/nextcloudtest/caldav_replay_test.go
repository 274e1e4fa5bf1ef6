package nextcloudtest

import (
	"net/http"
	"regexp"
	"testing"
	"time"
)

// TestReplayCalDAV: the simulator answers what a real Nextcloud 34 answered.
func TestReplayCalDAV(t *testing.T) {
	s := New(&Options{Now: func() time.Time { return recordedDay }})
	meeting := func(uid string) string {
		return event(uid, "DTSTART:20261203T090000Z", "DTEND:20261203T100000Z", "SUMMARY:Meeting",
			"ORGANIZER;CN=Alice:mailto:alice@example.org", "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org")
	}
	alice, bob := s.account("alice").calendars, s.account("bob").calendars
	// Bob had never signed in when the first invitation came: delivery made his calendar, for everything and colourless.
	bob.calendars[0].components = calendarComponents
	delete(bob.calendars[0].props, leaf(nsApple, "calendar-color", "").name)
	bob.calendars[1].token = 2
	const old = "/remote.php/dav/calendars/alice/old/"
	mustCall(t, s, 201, "alice", "MKCALENDAR", old, "")
	for _, uid := range []string{"ev-meet-1795404501", "ev-meet-1795404543", "ev-meet-1795404586"} {
		mustCall(t, s, 201, "alice", "PUT", old+uid+".ics", meeting(uid))
	}
	mustCall(t, s, 204, "alice", "DELETE", old, "", "X-NC-CalDAV-No-Trashbin", "1")
	alice.calendars[0].token, alice.calendars[1].token = 5, 3
	alice.lastID = 33

	const cal = "/remote.php/dav/calendars/alice/rec-cal/"
	p := exactReplay{
		server: s,
		before: map[string]func(*http.Request){
			"31-sync-collection-delta": func(*http.Request) {
				mustCall(t, s, 201, "alice", "PUT", cal+"ev-new.ics", event("ev-new", "DTSTART:20261201T090000Z", "SUMMARY:x"))
				mustCall(t, s, 204, "alice", "DELETE", cal+"ev-allday.ics", "")
			},
			"68-depth-infinity-calendar": func(*http.Request) { alice.calendars[0].token = 7 },
		},
		masks: []*regexp.Regexp{
			regexp.MustCompile(`[0-9a-f]{32}`),                               // ETags in bodies; those in headers are compared
			regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`),  // made-up names
			regexp.MustCompile(`[A-Z][a-z]{2}, \d\d Nov 2026 [0-9:]{8} GMT`), // times of this run
			regexp.MustCompile(`2026-11-23T[0-9:]{8}`),
			regexp.MustCompile(`DTSTAMP:20261123T\d{6}Z`),
			regexp.MustCompile(`ev-meet-\d+`),                   // bob's copies come in the order of their random names
			regexp.MustCompile(`app-generated--deck--board-\d`), // boards are counted on the whole server
			regexp.MustCompile(`xmlns:(cal|x1)="urn:ietf:params:xml:ns:caldav"|<(cal|x1):supported-calendar-component `),
		},
	}
	p.run(t, "caldav")
	if got := len(bob.inbox); got != 4 {
		t.Errorf("bob has %d messages, want 4", got)
	}
}
