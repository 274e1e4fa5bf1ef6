package notes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
)

func titles(t *testing.T, c *Client, q Query) []string {
	t.Helper()
	found, err := c.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, h := range found.Hits {
		out = append(out, h.Note.Title)
	}
	return out
}

func wantRequests(t *testing.T, f *fakeNotes, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, f.requests()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}

// TestSearchReadsOnlyChanges follows a cache through its life, request by
// request.
func TestSearchReadsOnlyChanges(t *testing.T) {
	f := newFake()
	for i := range int64(250) {
		f.put(i+1, fmt.Sprintf("Note %d", i), "common text")
	}
	c := client(t, f)
	f.pass(time.Hour)
	start := f.now
	if n := len(titles(t, c, Query{Text: "common", Limit: 100})); n != 100 {
		t.Errorf("%d hits", n)
	}
	wantRequests(t, f, "chunkSize=100", fmt.Sprintf("chunkCursor=%d-1800000000-100&chunkSize=200", start))

	since := fmt.Sprintf("chunkSize=100&pruneBefore=%d", start-60)
	titles(t, c, Query{Text: "common"})
	wantRequests(t, f, since)
	titles(t, c, Query{Text: "other"})
	wantRequests(t, f, since+" 304")

	f.pass(time.Hour)
	f.put(7, "Changed", "other words")
	delete(f.notes, 8)
	if got := titles(t, c, Query{Text: "other"}); !slices.Equal(got, []string{"Changed"}) {
		t.Errorf("after the change: %q", got)
	}
	if got := titles(t, c, Query{Text: "note 7"}); slices.Contains(got, "Note 7") || slices.Contains(got, "Note 6") {
		t.Errorf("old versions are found: %q", got)
	}
	wantRequests(t, f, since, since+" 304")

	// Many changes move the question forward, so that they do not come again.
	f.pass(time.Hour)
	for i := range int64(30) {
		f.put(1000+i, fmt.Sprintf("Late %d", i), "late")
	}
	if n := len(titles(t, c, Query{Text: "late", Limit: 100})); n != 30 {
		t.Errorf("%d late hits", n)
	}
	titles(t, c, Query{Text: "late"})
	wantRequests(t, f, since, fmt.Sprintf("chunkSize=100&pruneBefore=%d", f.now-60))
}

// TestSearchWithinOneSecond: a note that is written in the second of the last
// look, after it, is seen by the next one.
func TestSearchWithinOneSecond(t *testing.T) {
	f := newFake()
	f.put(5, "First", "x")
	c := client(t, f)
	titles(t, c, Query{Text: "x"})
	f.put(5, "First", "y")
	f.put(3, "Second", "y")
	if got := titles(t, c, Query{Text: "y"}); !slices.Equal(got, []string{"First", "Second"}) {
		t.Errorf("got %q", got)
	}
}

// TestSearchMissedByThePages: a note that slips between two pages comes as a
// stub of which nothing is known, and is read by itself.
func TestSearchMissedByThePages(t *testing.T) {
	f := newFake()
	for i := range int64(100) {
		f.put(i+10, "Note", "text")
	}
	f.pass(time.Second)
	f.put(500, "Last", "text")
	c := client(t, f)
	s := newSync(nil, nil)
	first, err := c.List(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	if s.add(first) {
		t.Fatal("one page only")
	}
	f.notes[2] = &fakeNote{title: "Slipped", content: "text", updated: f.now - 1}
	last, err := c.List(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	if !s.add(last) {
		t.Fatal("more than two pages")
	}
	if got := s.missing(); !slices.Equal(got, []int64{2}) {
		t.Fatalf("missing %v", got)
	}
	if err := c.complete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if lib := s.library(); len(lib.notes) != 102 || !slices.ContainsFunc(lib.notes, func(n *Note) bool { return n.Title == "Slipped" }) {
		t.Errorf("%d notes, without the one that slipped through", len(lib.notes))
	}
}

// TestSearchTooMuchToKeep: beyond the limit contents are read each time and
// forgotten; titles are kept.
func TestSearchTooMuchToKeep(t *testing.T) {
	f := newFake()
	big := strings.Repeat("filling ", 1<<17) // 1 MiB
	for i := range int64(10) {
		f.put(i+1, fmt.Sprintf("Big %d", i), big+fmt.Sprintf("needle%d", i))
	}
	c := client(t, f)
	for range 2 {
		if got := titles(t, c, Query{Text: "needle3"}); !slices.Equal(got, []string{"Big 3"}) {
			t.Errorf("got %q", got)
		}
	}
	wantRequests(t, f, "chunkSize=100", "chunkSize=100")
	lib := c.kept(t.Context())
	if lib == nil || lib.whole || lib.size > 10_000 {
		t.Fatalf("kept %+v", lib)
	}
	if got := titles(t, c, Query{}); len(got) != 10 {
		t.Errorf("all: %q", got)
	}
	wantRequests(t, f, fmt.Sprintf("chunkSize=100&exclude=content&pruneBefore=%d", f.now-60))
	for i := range int64(9) {
		f.put(i+1, "small", "small")
	}
	titles(t, c, Query{Text: "small"})
	if lib := c.kept(t.Context()); !lib.whole {
		t.Error("small notes are not kept again")
	}
}

// TestSearchGrowsTooLarge: contents that no longer fit are read for the very
// search that finds it out.
func TestSearchGrowsTooLarge(t *testing.T) {
	f := newFake()
	f.put(1, "Small", "needle")
	c := client(t, f)
	titles(t, c, Query{Text: "x"})
	f.pass(time.Hour)
	for i := range int64(9) {
		f.put(i+2, "Big", strings.Repeat("filling ", 1<<17))
	}
	if got := titles(t, c, Query{Text: "needle"}); !slices.Equal(got, []string{"Small"}) {
		t.Errorf("got %q", got)
	}
}

func TestSearchTooMany(t *testing.T) {
	f := newFake()
	for i := range int64(maxNotes + 1000) {
		f.put(i+1, "Note", "word")
	}
	c := client(t, f)
	found, err := c.Search(t.Context(), Query{Text: "word", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if found.Total < maxNotes || found.Total >= maxNotes+largestPage || !strings.HasSuffix(found.Partial, "there are too many") {
		t.Errorf("%d hits, partial %q", found.Total, found.Partial)
	}
}

// TestSearchLargeAnswers: pages shrink until they fit, and a note that never
// does is searched by its title and reported.
func TestSearchLargeAnswers(t *testing.T) {
	f := newFake()
	for i := range int64(30) {
		f.put(i+1, fmt.Sprintf("Note %d", i), strings.Repeat("word ", 1000))
	}
	f.put(15, "Huge", strings.Repeat("word ", 20_000))
	f.limit = 60_000
	c := client(t, f)
	found, err := c.Search(t.Context(), Query{Text: "huge"})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Hits) != 1 || found.Hits[0].Note.ID != 15 || found.Total != 1 {
		t.Errorf("found %+v", found)
	}
	if d := cmp.Diff([]Skipped{{15, "too large to search"}}, found.Skipped); d != "" {
		t.Errorf("skipped (-want +got):\n%s", d)
	}
	if n := len(titles(t, c, Query{Text: "word", Limit: 100})); n != 29 {
		t.Errorf("%d hits", n)
	}
}

func TestSearchSkipsBrokenNotes(t *testing.T) {
	f := newFake()
	f.put(1, "Fine", "word")
	f.put(2, "Broken", "word")
	f.notes[2].broken = true
	c := client(t, f)
	for range 2 {
		found, err := c.Search(t.Context(), Query{Text: "word"})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]Skipped{{2, "Nextcloud cannot read its file"}}, found.Skipped); d != "" || len(found.Hits) != 1 {
			t.Errorf("%d hits, skipped (-want +got):\n%s", len(found.Hits), d)
		}
	}
	f.pass(time.Hour)
	f.put(2, "Mended", "word")
	found, err := c.Search(t.Context(), Query{Text: "word"})
	if err != nil || len(found.Hits) != 2 || len(found.Skipped) != 0 {
		t.Errorf("after mending: %+v, %v", found, err)
	}
}

func TestSearchOutOfTime(t *testing.T) {
	f := newFake()
	for i := range int64(150) {
		f.put(i+1, fmt.Sprintf("Note %d", i), "word")
	}
	c := client(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), minTimeLeft-time.Millisecond)
	defer cancel()
	found, err := c.Search(ctx, Query{Text: "word"})
	if err != nil {
		t.Fatal(err)
	}
	if found.Total != 100 || found.Partial != "only 100 notes were searched: time ran out" {
		t.Errorf("%d hits, partial %q", found.Total, found.Partial)
	}
	if c.kept(t.Context()) != nil {
		t.Error("a part is kept as if it were all")
	}
}

func TestSearchFailures(t *testing.T) {
	for status, kind := range map[int]error{404: nextcloud.ErrAppMissing, 401: nextcloud.ErrUnauthenticated, 500: nextcloud.ErrUnavailable, 400: nextcloud.ErrInvalid} {
		f := newFake()
		f.put(1, "One", "word")
		c := client(t, f)
		titles(t, c, Query{Text: "word"}) // a full cache must not hide a failure
		f.status["GET "+apiPath+"/notes"] = status
		if _, err := c.Search(t.Context(), Query{Text: "word"}); !errors.Is(err, kind) {
			t.Errorf("%d: %v, want %v", status, err, kind)
		}
	}
}

func TestSearchWithAStrangeServer(t *testing.T) {
	n := 0
	endless := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("X-Notes-Chunk-Cursor", fmt.Sprintf("1-1-%d", n))
		_, _ = io.WriteString(w, "[]")
	}))
	if found, err := endless.Search(t.Context(), Query{Text: "x"}); err != nil || n != maxPages || found.Partial == "" {
		t.Errorf("%d pages, %+v, %v", n, found, err)
	}
	same := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Notes-Chunk-Cursor", "1-1-1")
		_, _ = io.WriteString(w, "[]")
	}))
	if found, err := same.Search(t.Context(), Query{Text: "x"}); err != nil || found.Partial == "" {
		t.Errorf("%+v, %v", found, err)
	}
	never := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }))
	if _, err := never.Search(t.Context(), Query{Text: "x"}); !errors.Is(err, nextcloud.ErrBadAnswer) {
		t.Errorf("not modified, without a question: %v", err)
	}
}

func TestSearchPages(t *testing.T) {
	f := newFake()
	for i := range int64(25) {
		f.put(i+1, fmt.Sprintf("Note %02d", i), "word")
		f.pass(time.Second)
	}
	c := client(t, f)
	var got []string
	q := Query{Text: "word", Limit: 10}
	for range 4 {
		found, err := c.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found.Hits {
			got = append(got, h.Note.Title)
		}
		if q.Cursor = found.Next; q.Cursor == "" {
			break
		}
		f.put(100, "Newest", "word") // moves no other hit
	}
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("Note %02d", 24-i))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("all pages (-want +got):\n%s", d)
	}
	found, err := c.Search(t.Context(), Query{Text: "word", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{
		{Text: "else", Cursor: found.Next},
		{Text: "word", Category: "X", Cursor: found.Next},
		{Text: "word", Cursor: "garbage"},
		{Text: strings.Repeat("a ", maxWords+1)},
		{Text: strings.Repeat("a", maxQuery+1)},
	} {
		if _, err := c.Search(t.Context(), q); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%.40q %q: %v", q.Text, q.Cursor, err)
		}
	}
}

func TestRanking(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	all := []*Note{
		{ID: 1, Title: "Tax return", Content: "x", Modified: at(1)},
		{ID: 2, Title: "Return the tax", Content: "x", Modified: at(9)},
		{ID: 3, Title: "Letter about tax return 2025", Modified: at(2)},
		{ID: 4, Title: "Letter", Content: "the tax return is late", Modified: at(3)},
		{ID: 5, Title: "Letter", Content: "return this to the tax office", Modified: at(8)},
		{ID: 6, Title: "Tax", Content: "many happy returns", Modified: at(4)},
		{ID: 7, Title: "Form", Category: "Tax/Return", Modified: at(5)},
		{ID: 8, Title: "Form", Content: "tax", Modified: at(7)},
		{ID: 9, Title: "Older letter", Content: "return this to the tax office", Modified: at(1)},
	}
	m, err := newMatcher(Query{Text: " TAX  return"})
	if err != nil {
		t.Fatal(err)
	}
	var hits []Hit
	for _, n := range all {
		hits = m.match(hits, n)
	}
	slices.SortFunc(hits, func(a, b Hit) int { return positionOf(a).compare(positionOf(b)) })
	var got []int64
	for _, h := range hits {
		got = append(got, h.Note.ID)
	}
	if want := []int64{1, 3, 2, 6, 4, 7, 5, 9}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"straße", "STRASSE", "STRAẞE", "Strasse"}, {"ÄÖÜ", "äöü"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"Привет", "ПРИВЕТ"}, {"\u212Aelvin", "kelvin"}, {"日本", "日本"},
	} {
		for _, s := range same {
			if foldString(s) != foldString(same[0]) {
				t.Errorf("%q and %q differ: %q, %q", s, same[0], foldString(s), foldString(same[0]))
			}
		}
	}
	if foldString("résumé") == foldString("resume") {
		t.Error("accents are ignored")
	}
	const text = "Aẞ\u212A\xffné end"
	for i := range text {
		if got := unfold(text, len(foldString(text[:i]))); got != i {
			t.Errorf("unfold to %d is %d", i, got)
		}
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("wörter ", 100)
	for _, c := range []struct {
		content string
		at      int
		want    string
	}{
		{"", 0, ""},
		{"short", 0, "short"},
		{" # Title\n\n- one\r\n- two\t\x00 ", 0, "# Title - one - two"},
		{long + "needle", len(long), "…wörter wörter wörter wörter wörter needle"},
		{strings.Repeat("x", 300), 0, strings.Repeat("x", 158) + "…"},
		{strings.Repeat("x", 300), 300, "…" + strings.Repeat("x", 40)},
	} {
		if got := snippet(c.content, c.at); got != c.want {
			t.Errorf("snippet(%.20q, %d) = %q, want %q", c.content, c.at, got, c.want)
		}
	}
	for at := range long {
		if got := snippet(long, at); utf8.RuneCountInString(got) > snippetRunes || strings.ContainsAny(got, "\n\t") {
			t.Fatalf("at %d: %d runes: %q", at, utf8.RuneCountInString(got), got)
		}
	}
}

func TestInCategory(t *testing.T) {
	for _, c := range []struct {
		have, want string
		in         bool
	}{
		{"Work", "", true}, {"Work", "Work", true}, {"Work/Ideas", "/wORK/", true}, {"Workshop", "Work", false}, {"", "Work", false}, {"A/Work", "Work", false},
	} {
		if got := inCategory(&Note{Category: c.have}, c.want); got != c.in {
			t.Errorf("%q in %q = %v", c.have, c.want, got)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	f := newFake()
	for i := range int64(2000) {
		f.put(i+1, fmt.Sprintf("Note %d", i), strings.Repeat("some words of a note ", 50)+fmt.Sprint("needle", i))
	}
	f.pass(time.Hour)
	c := client(b, f)
	if _, err := c.Search(b.Context(), Query{Text: "needle"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		found, err := c.Search(b.Context(), Query{Text: "Words needle1999"})
		if err != nil || found.Total != 1 {
			b.Fatal(found, err)
		}
	}
}

// BenchmarkMatch is the part of a search that is not waiting for the server.
func BenchmarkMatch(b *testing.B) {
	var all []*Note
	for i := range 2000 {
		all = append(all, &Note{ID: int64(i), Title: fmt.Sprintf("Note %d", i), Content: strings.Repeat("some wörds of a note ", 50)})
	}
	m, err := newMatcher(Query{Text: "wörds absent"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, n := range all {
			if hits := m.match(nil, n); hits != nil {
				b.Fatal(hits)
			}
		}
	}
}
