package nextcloudtest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReplayNotes: the simulator answers what a real Notes 6.0.2 answered, ids and times included.
func TestReplayNotes(t *testing.T) {
	now := recordedDay
	s := New(&Options{Now: func() time.Time { return now }})
	for _, category := range []string{"Work/Projects", "Work/Archive", "Bulk"} {
		s.AddFolder("alice", "Notes/"+category)
	}
	s.files.lastID = 225
	at := func(second int) func(*http.Request) {
		return func(*http.Request) { now = time.Date(2026, 11, 23, 3, 31, second, 0, time.UTC) }
	}
	bulk := func(*http.Request) {
		s.files.lastID = 238
		for i := range 6 {
			if i == 2 {
				at(25)(nil)
			}
			mustCall(t, s, 200, "alice", "POST", "/index.php/apps/notes/api/v1/notes",
				fmt.Sprintf(`{"title":"Bulk %d","content":"c %d","category":"Bulk"}`, i, i), "Content-Type", "application/json")
		}
	}
	image := strings.Repeat("x", 74)
	upload := func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader("------rig\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pixel.png\"\r\nContent-Type: image/png\r\n\r\n" +
			image + "\r\n------rig--\r\n"))
	}
	p := exactReplay{
		server: s,
		before: map[string]func(*http.Request){
			"16-update-with-if-match-200": at(24),
			"24-list-all":                 bulk,
			"36-list-chunk-bad-cursor":    at(26),
			"37-attachment-upload":        upload,
			"44-bearer-with-ocs-header-200": func(r *http.Request) {
				at(29)(r)
				// Tokens are the business of the authentication recordings; here it is what the answer holds.
				r.SetBasicAuth("alice", "alice-password-1")
			},
		},
		// ETags and names of attachments are made of other ingredients: that they are there is compared, and what follows.
		masks:       []*regexp.Regexp{hexName},
		maskHeaders: true,
	}
	p.run(t, "notes")
}
