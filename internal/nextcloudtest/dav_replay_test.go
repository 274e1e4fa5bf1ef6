package nextcloudtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// exactReplay plays recordings of an area in order and compares answers to the letter, where replayArea looks at their
// shape: an id, an ETag or a line that is in another place shows.
type exactReplay struct {
	server *Server
	// before runs ahead of the recording of that name: what happened in between and was not recorded.
	before map[string]func(*http.Request)
	// masks are replaced on both sides: values that are random or follow the clock.
	masks []*regexp.Regexp
	// ignored are headers that do not matter.
	ignored []string
	// maskHeaders masks headers too.
	maskHeaders bool
	// differences are the recordings whose body differs on purpose, each with the reason.
	differences map[string]string
	// known maps hexadecimal names of the recording (ETags, attachments) to those of the simulator.
	known map[string]string
}

var hexName = regexp.MustCompile(`[0-9a-f]{32}`)

func (p *exactReplay) translate(s string) string {
	return hexName.ReplaceAllStringFunc(s, func(name string) string {
		if ours, ok := p.known[name]; ok {
			return ours
		}
		return name
	})
}

func (p *exactReplay) learn(recorded, ours string) {
	a, b := hexName.FindAllString(recorded, -1), hexName.FindAllString(ours, -1)
	if len(a) == len(b) {
		for i := range a {
			p.known[a[i]] = b[i]
		}
	}
}

func (p *exactReplay) mask(s string) string {
	for _, m := range p.masks {
		s = m.ReplaceAllString(s, "…")
	}
	return strings.TrimRight(s, "\r\n")
}

func (p *exactReplay) run(t *testing.T, area string) {
	t.Helper()
	p.known = map[string]string{}
	for _, x := range readArea(t, area) {
		t.Run(x.name, func(t *testing.T) { p.compare(t, x, p.send(x)) })
	}
}

// send plays one recorded request, with the account password in the place of the masked one.
func (p *exactReplay) send(x *exchange) *httptest.ResponseRecorder {
	body := x.body
	// The recorder took the last line break from every body.
	if strings.HasPrefix(body, "BEGIN:VCALENDAR") || strings.HasPrefix(body, "BEGIN:VCARD") {
		body += "\r\n"
	}
	r := httptest.NewRequest(x.method, p.translate(x.target), strings.NewReader(body))
	for name, values := range x.header {
		for _, value := range values {
			if user := maskedBasic.FindStringSubmatch(value); name == "Authorization" && user != nil {
				value = basic(user[1], user[1]+"-password-1")
			}
			r.Header.Add(name, p.translate(value))
		}
	}
	if before := p.before[x.name]; before != nil {
		before(r)
	}
	got := httptest.NewRecorder()
	p.server.ServeHTTP(got, r)
	p.learn(x.answerHeader.Get("ETag")+x.answer, got.Header().Get("ETag")+got.Body.String())
	return got
}

func (p *exactReplay) compare(t *testing.T, x *exchange, got *httptest.ResponseRecorder) {
	t.Helper()
	body := got.Body.String()
	if got.Code != x.status {
		t.Fatalf("status %d, recorded %d\n%s", got.Code, x.status, body)
	}
	p.compareHeaders(t, x.answerHeader, got.Header())
	if strings.Contains(x.answer, "bytes binary>") {
		return
	}
	recorded := p.mask(x.answer)
	body = p.mask(body)
	if x.trimmed {
		body = p.mask(body[:min(len(body), len(recorded))])
	}
	diff := cmp.Diff(lines(recorded), lines(body))
	if reason, expected := p.differences[x.name]; expected {
		if diff == "" {
			t.Errorf("no longer differs, take it out of the table (%s)", reason)
		}
		return
	}
	if diff != "" {
		t.Errorf("body (-recorded +ours):\n%s", diff)
	}
}

// lines breaks a document where a difference can be shown.
func lines(s string) []string {
	return strings.Split(strings.NewReplacer("><", ">\n<", "},{", "},\n{").Replace(s), "\n")
}

func (p *exactReplay) compareHeaders(t *testing.T, want, got http.Header) {
	t.Helper()
	ours := got.Clone()
	recorded := want.Clone()
	// What net/http adds or leaves out by itself, and what no client reads.
	for _, name := range append(p.ignored, "X-Debug-Token", "Content-Length", "Set-Cookie", "Last-Modified") {
		ours.Del(name)
		recorded.Del(name)
	}
	if (want.Get("Last-Modified") == "") != (got.Get("Last-Modified") == "") {
		t.Errorf("Last-Modified %q, recorded %q", got.Get("Last-Modified"), want.Get("Last-Modified"))
	}
	if p.maskHeaders {
		for _, h := range []http.Header{ours, recorded} {
			for name := range h {
				h.Set(name, p.mask(h.Get(name)))
			}
		}
	}
	if diff := cmp.Diff(recorded, ours); diff != "" {
		t.Errorf("headers (-recorded +ours):\n%s", diff)
	}
}

// call sends a request as a user and returns the answer.
func call(s *Server, user, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.SetBasicAuth(user, user+"-password-1")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// mustCall is call for a step that has to work.
func mustCall(t *testing.T, s *Server, status int, user, method, target, body string, header ...string) string {
	t.Helper()
	w := call(s, user, method, target, body, header...)
	if w.Code != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", method, target, w.Code, status, w.Body)
	}
	return w.Body.String()
}

// event is a calendar object with one event.
func event(uid string, lines ...string) string {
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//rig//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20261101T000000Z\r\n%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		uid, strings.Join(lines, "\r\n"))
}

// recordedDay is when the recordings were made.
var recordedDay = time.Date(2026, 11, 23, 3, 31, 23, 0, time.UTC)
