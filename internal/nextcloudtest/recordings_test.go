package nextcloudtest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recordedBase is the address of the server that the recordings were made with; it is the BaseURL of replays, so that
// links in answers are the same.
const recordedBase = "http://127.0.0.1:8080"

// differences are the recordings (area and file without ".http") whose answers differ on purpose, each with the reason.
// One that does not differ any more fails the test.
var differences = map[string]string{
	"capabilities/01-capabilities-user-json": "only the capabilities of the apps that are simulated are announced",
	"capabilities/02-capabilities-anonymous": "only the capabilities of the apps that are simulated are announced",
	"deck/20-card-create-no-title-500":       "the sentence holds the id of the request",
	"unified-search/01-providers":            "only the sources of the apps that are simulated are there",
	"mail/20-api-message-html":               "the page that shows a message is not simulated: nothing asks for it",
	"sharing/24-public-dav-propfind":         "links are made and listed, and not served",
	"sharing/25-public-dav-get":              "links are made and listed, and not served",
}

// exchange is one recorded request and its answer, from testdata/recordings/<area>/<name>.http.
type exchange struct {
	area, name     string
	method, target string // target is path and query
	header         http.Header
	body           string
	status         int
	answerHeader   http.Header
	answer         string
	trimmed        bool // the recording holds the beginning of the answer only
}

// replayPlan says how an area is replayed; the zero value of everything but area is useful.
type replayPlan struct {
	area string

	// replace maps text of recorded requests (ids, codes, secrets) to what stands for it here. Strings and ids that
	// answers bring are added by themselves.
	replace map[string]string

	// before runs ahead of each exchange and may change the request or the server.
	before func(r *shapeReplay, x *exchange)
}

// shapeReplay is one run of a plan.
type shapeReplay struct {
	replayPlan
	t      *testing.T
	server *Server
	base   string
}

// startRecorded runs a server in the state that the recordings began in.
func startRecorded(t *testing.T, opts *Options) *Server {
	t.Helper()
	var o Options
	if opts != nil {
		o = *opts
	}
	o.BaseURL = recordedBase
	return Start(t, &o)
}

// replayArea sends every recorded request of an area in order and compares the answers: status, the headers that matter
// and the shape of the body.
func replayArea(t *testing.T, s *Server, plan replayPlan) {
	t.Helper()
	r := &shapeReplay{replayPlan: plan, t: t, server: s, base: s.listenURL()}
	if r.replace == nil {
		r.replace = map[string]string{}
	}
	exchanges := readArea(t, plan.area)
	for name := range differences {
		if !slices.ContainsFunc(exchanges, func(x *exchange) bool { return x.area+"/"+x.name == name }) && strings.HasPrefix(name, plan.area+"/") {
			t.Errorf("differences name %s, which is not recorded", name)
		}
	}
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) { r.run(t, x) })
	}
}

func (r *shapeReplay) run(t *testing.T, x *exchange) {
	t.Helper()
	if r.before != nil {
		r.before(r, x)
	}
	answer, body := r.send(t, x)
	found := compareAnswers(x, r, answer, body)
	reason, expected := differences[x.area+"/"+x.name]
	switch {
	case expected && len(found) == 0:
		t.Errorf("no longer differs, take it out of the table (%s)", reason)
	case !expected && len(found) > 0:
		t.Errorf("%s %s differs from the recording:\n%s\nanswer: %.1500s", x.method, x.target, strings.Join(found, "\n"), body)
	}
	r.learn(x, answer, body)
}

// listenURL is the address the server really listens on.
func (s *Server) listenURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened.url
}

// received is the head of an answer.
type received struct {
	status int
	header http.Header
}

func (r *shapeReplay) send(t *testing.T, x *exchange) (received, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), x.method, r.base+r.mapTarget(x.target), strings.NewReader(r.mapText(x.body)))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range x.header {
		for _, v := range values {
			request.Header.Add(name, r.mapText(v))
		}
	}
	if authorization := request.Header.Get("Authorization"); authorization != "" {
		request.Header.Set("Authorization", r.unmask(authorization))
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return received{answer.StatusCode, answer.Header}, string(body)
}

var maskedBasic = regexp.MustCompile(`^Basic <([^:>]+):[^>]*>$`)

// unmask puts the account password of the named user into a masked header, unless before has set another one.
func (r *shapeReplay) unmask(authorization string) string {
	match := maskedBasic.FindStringSubmatch(authorization)
	if match == nil {
		return authorization
	}
	password := "unknown-user"
	if a := r.server.account(match[1]); a != nil {
		password = a.profile().Password
	}
	return basic(match[1], password)
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// mapText replaces what the plan and earlier answers tell to replace, longest first.
func (r *shapeReplay) mapText(text string) string {
	keys := slices.SortedFunc(maps.Keys(r.replace), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, key := range keys {
		if !strings.HasPrefix(key, idMark) {
			pairs = append(pairs, key, r.replace[key], url.QueryEscape(key), url.QueryEscape(r.replace[key]))
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// idMark begins the keys of numeric ids, which are replaced in paths only.
const idMark = "id:"

var numericSegment = regexp.MustCompile(`/(\d+)\b`)

func (r *shapeReplay) mapTarget(target string) string {
	path, query, hasQuery := strings.Cut(r.mapText(target), "?")
	path = numericSegment.ReplaceAllStringFunc(path, func(segment string) string {
		if id, ok := r.replace[idMark+segment[1:]]; ok {
			return "/" + id
		}
		return segment
	})
	if hasQuery {
		return path + "?" + query
	}
	return path
}

// minLearned is how long a string must be to be taken for an id or secret.
const minLearned = 16

// learn remembers which ids and secrets of the recording became which here.
func (r *shapeReplay) learn(x *exchange, answer received, body string) {
	if recorded, here := x.answerHeader.Get("ETag"), answer.header.Get("ETag"); recorded != "" && here != "" {
		r.replace[strings.Trim(recorded, `"`)] = strings.Trim(here, `"`)
	}
	var recorded, here any
	if json.Unmarshal([]byte(x.answer), &recorded) == nil && json.Unmarshal([]byte(body), &here) == nil {
		r.learnJSON("", recorded, here)
	}
}

func (r *shapeReplay) learnJSON(key string, recorded, here any) {
	switch recorded := recorded.(type) {
	case map[string]any:
		here, _ := here.(map[string]any)
		for name, v := range recorded {
			r.learnJSON(name, v, here[name])
		}
	case []any:
		here, _ := here.([]any)
		for i := range min(len(recorded), len(here)) {
			r.learnJSON(key, recorded[i], here[i])
		}
	case string:
		if here, ok := here.(string); ok && here != recorded && len(recorded) >= minLearned {
			r.replace[recorded] = here
		}
	case float64:
		if here, ok := here.(float64); ok && key == "id" {
			r.replace[fmt.Sprintf("%s%.0f", idMark, recorded)] = fmt.Sprintf("%.0f", here)
		}
	}
}

func readArea(t *testing.T, area string) []*exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "recordings", area, "*.http"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings of %s: %v", area, err)
	}
	slices.Sort(files)
	var exchanges []*exchange
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		x, err := parseExchange(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		x.area, x.name = area, strings.TrimSuffix(filepath.Base(file), ".http")
		exchanges = append(exchanges, x)
	}
	return exchanges
}

var trimMark = regexp.MustCompile(`(?s)\n?…?(\.\.\.)?\[trimmed, \d+ bytes in all\]\s*$`)

// parseExchange reads one file: the answer begins after the first blank line that a status line follows.
func parseExchange(text string) (*exchange, error) {
	request, answer, found := strings.Cut(text, "\n\nHTTP/1.1 ")
	if !found {
		return nil, errors.New("no status line")
	}
	x := &exchange{}
	var first string
	first, x.header, x.body = parseMessage(request)
	words := strings.Split(first, " ")
	if len(words) < 3 {
		return nil, fmt.Errorf("bad request line %q", first)
	}
	x.method, x.target = words[0], strings.Join(words[1:len(words)-1], " ")
	first, x.answerHeader, x.answer = parseMessage(answer)
	if _, err := fmt.Sscanf(first, "%d", &x.status); err != nil {
		return nil, fmt.Errorf("bad status line %q", first)
	}
	if trimMark.MatchString(x.answer) {
		x.trimmed, x.answer = true, trimMark.ReplaceAllString(x.answer, "")
	}
	x.body = trimMark.ReplaceAllString(x.body, "")
	return x, nil
}

func parseMessage(text string) (first string, header http.Header, body string) {
	head, body, _ := strings.Cut(text, "\n\n")
	first, lines, _ := strings.Cut(head, "\n")
	header = http.Header{}
	for line := range strings.SplitSeq(lines, "\n") {
		if name, v, found := strings.Cut(line, ":"); found {
			header.Add(name, strings.TrimSpace(v))
		}
	}
	return first, header, strings.TrimSuffix(body, "\n")
}
