package notes

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a Query.
const (
	DefaultLimit = 20
	MaxLimit     = 100
	maxWords     = 16
	maxQuery     = 1000 // bytes
)

// Query is what to search for. All words must occur, in any order and inside
// other words, in title, category or content; no words mean all notes.
type Query struct {
	Text     string
	Category string           // only notes in this category and below it
	Limit    int              // hits to answer; 0 means DefaultLimit
	Cursor   string           // Found.Next of the page before
	Keep     func(*Note) bool // which notes may be found; nil means all
}

// Hit is a note that was found. Its Content is empty.
type Hit struct {
	Note    *Note
	Score   int    // higher is better; 0 when nothing was searched for
	Snippet string // one line around the first place, at most 160 runes
}

// Found is one page of hits, best first, then newest first.
type Found struct {
	Hits    []Hit
	Total   int    // of all pages
	Next    string // cursor of the next page; empty on the last one
	Skipped []Skipped
	Partial string // why not all notes were searched; empty when they were
}

// Search looks through all notes. The API cannot search, so the notes are kept
// in the cache and only what changed is read again; notes that are too many to
// keep are read each time and forgotten.
func (c *Client) Search(ctx context.Context, q Query) (*Found, error) {
	m, err := newMatcher(q)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(q)
	if err != nil {
		return nil, err
	}
	lib, hits, err := c.hits(ctx, m)
	if err != nil {
		return nil, err
	}
	found := &Found{Total: len(hits), Skipped: lib.skipped, Partial: lib.partial}
	slices.SortFunc(hits, func(a, b Hit) int { return positionOf(a).compare(positionOf(b)) })
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return after != nil && positionOf(h).compare(*after) <= 0 })
	if limit := q.limit(); len(hits) > limit {
		hits = hits[:limit]
		found.Next = positionOf(hits[limit-1]).cursor(q)
	}
	found.Hits = hits
	return found, nil
}

// hits are all notes that m matches.
func (c *Client) hits(ctx context.Context, m *matcher) (lib *library, hits []Hit, err error) {
	if lib = c.kept(ctx); lib != nil && (lib.whole || m.all()) {
		lib, err = c.sync(ctx, lib, nil)
		if err != nil {
			return nil, nil, err
		}
		if lib.whole || m.all() {
			for _, n := range lib.notes {
				hits = m.match(hits, n)
			}
			return lib, hits, nil
		}
	}
	seen := map[int64]Hit{}
	lib, err = c.sync(ctx, nil, func(n *Note) {
		delete(seen, n.ID) // an older version of it, from an earlier page
		if found := m.match(nil, n); len(found) == 1 {
			seen[n.ID] = found[0]
		}
	})
	if err != nil {
		return nil, nil, err
	}
	for _, n := range lib.notes {
		if h, ok := seen[n.ID]; ok {
			hits = append(hits, h)
		}
	}
	return lib, hits, nil
}

func (q Query) limit() int {
	if q.Limit <= 0 {
		return DefaultLimit
	}
	return min(q.Limit, MaxLimit)
}

// matcher finds one query in notes. It is not safe for concurrent use.
type matcher struct {
	phrase   []byte
	words    [][]byte
	category string
	keep     func(*Note) bool

	title, folder, content []byte // folded texts of the note at hand
}

func newMatcher(q Query) (*matcher, error) {
	m := &matcher{category: q.Category, keep: q.Keep}
	if len(q.Text) > maxQuery {
		return nil, invalid("search notes", fmt.Sprintf("the query is longer than %d bytes", maxQuery))
	}
	fields := strings.Fields(foldString(q.Text))
	if len(fields) > maxWords {
		return nil, invalid("search notes", fmt.Sprintf("the query has more than %d words", maxWords))
	}
	m.phrase = []byte(strings.Join(fields, " "))
	for _, f := range fields {
		m.words = append(m.words, []byte(f))
	}
	return m, nil
}

// all reports whether every note matches, whatever its content.
func (m *matcher) all() bool { return len(m.words) == 0 }

// The parts of a score. A word in the title outweighs everything else.
const (
	scoreTitleWord     = 100
	scoreTitleExact    = 60
	scoreTitlePhrase   = 30
	scoreContentPhrase = 20
	scoreCategoryWord  = 2
	scoreContentWord   = 1
)

// match appends n to hits when it matches.
func (m *matcher) match(hits []Hit, n *Note) []Hit {
	if !inCategory(n, m.category) || (m.keep != nil && !m.keep(n)) {
		return hits
	}
	if m.all() {
		return append(hits, Hit{Note: bare(n), Snippet: snippet(n.Content, 0)})
	}
	m.title = appendFold(m.title[:0], n.Title)
	m.folder = appendFold(m.folder[:0], n.Category)
	m.content = appendFold(m.content[:0], n.Content)
	score, first := 0, -1
	for _, w := range m.words {
		at := bytes.Index(m.content, w)
		switch {
		case bytes.Contains(m.title, w):
			score += scoreTitleWord
		case bytes.Contains(m.folder, w):
			score += scoreCategoryWord
		case at >= 0:
			score += scoreContentWord
		default:
			return hits
		}
		if at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	switch several := len(m.words) > 1; {
	case bytes.Equal(m.title, m.phrase):
		score += scoreTitleExact
	case several && bytes.Contains(m.title, m.phrase):
		score += scoreTitlePhrase
	}
	if len(m.words) > 1 {
		if at := bytes.Index(m.content, m.phrase); at >= 0 {
			score += scoreContentPhrase
			first = at
		}
	}
	return append(hits, Hit{Note: bare(n), Score: score, Snippet: snippet(n.Content, unfold(n.Content, first))})
}

// The size of a snippet, in runes.
const (
	snippetRunes  = 160
	snippetBefore = 40
)

// snippet is one line of content around the byte offset at.
func snippet(content string, at int) string {
	start := at
	for i := 0; i < snippetBefore && start > 0; i++ {
		_, size := utf8.DecodeLastRuneInString(content[:start])
		start -= size
	}
	var b strings.Builder
	runes := 0
	if start > 0 {
		// Begin with a whole word when there is one before the place.
		if i := strings.IndexFunc(content[start:at], unicode.IsSpace); i >= 0 {
			start += i
		}
		b.WriteRune('…')
		runes++
	}
	space, begun := false, false
	for _, r := range content[start:] {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			space = true
			continue
		}
		if runes >= snippetRunes-2 {
			b.WriteRune('…')
			break
		}
		if space && begun {
			b.WriteByte(' ')
			runes++
		}
		space, begun = false, true
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

// position is the place of a hit among all hits. Cursors hold it instead of a
// count, so that a note which is written between two pages moves no others.
type position struct {
	score    int
	modified int64 // seconds
	id       int64
}

func positionOf(h Hit) position { return position{h.Score, h.Note.Modified.Unix(), h.Note.ID} }

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(o.score, p.score), cmp.Compare(o.modified, p.modified), cmp.Compare(o.id, p.id))
}

func (p position) cursor(q Query) string {
	return fmt.Sprintf("%d.%d.%d.%08x", p.score, p.modified, p.id, q.mark())
}

// mark tells the cursors of one search from those of another.
func (q Query) mark() uint32 {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%q %q", q.Text, q.Category)
	return h.Sum32()
}

func readCursor(q Query) (*position, error) {
	if q.Cursor == "" {
		return nil, nil //nolint:nilnil // no cursor is no error
	}
	var p position
	var mark uint32
	if _, err := fmt.Sscanf(q.Cursor, "%d.%d.%d.%08x", &p.score, &p.modified, &p.id, &mark); err != nil || mark != q.mark() {
		return nil, invalid("search notes", "the cursor belongs to another search")
	}
	return &p, nil
}
