package nextcloudtest

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReplayCardDAV: the simulator answers what a real Nextcloud 34 answered.
func TestReplayCardDAV(t *testing.T) {
	users := []User{
		{ID: "alice", DisplayName: "Alice", Email: "alice@example.org", Password: "alice-password-1"},
		{ID: "bob", DisplayName: "Bob", Email: "bob@example.org", Password: "bob-password-1"},
	}
	s := New(&Options{Users: users, Now: func() time.Time { return recordedDay }})
	alice := s.account("alice").cards
	alice.books[0].token, alice.system.token, alice.recent.token = 2, 11, 1795404859
	p := exactReplay{
		server: s,
		masks: []*regexp.Regexp{
			regexp.MustCompile(`[0-9a-f]{32}`),
			regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`),
			regexp.MustCompile(`[A-Z][a-z]{2}, \d\d Nov 2026 [0-9:]{8} GMT`),
			regexp.MustCompile(`<d:getcontentlength>\d+`), // the accounts' cards hold drawn pictures there
		},
		before: map[string]func(*http.Request){
			"17-get-nouid": func(*http.Request) { // made-up UIDs are random there
				o := alice.find("rec-book").cards["nouid.vcf"]
				o.data = strings.Replace(o.data, o.uid, "2cfc5569-a185-48d8-b933-d05141361e39", 1)
			},
		},
	}
	p.run(t, "carddav")
}
