package notes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

const (
	libraryKey = "notes/library"
	// maxLibrary bounds what is kept of one person's notes, in bytes.
	maxLibrary = 8 << 20
	// maxNotes bounds how many notes are looked at.
	maxNotes = 20_000
	// maxPages bounds how often the server is asked for one look.
	maxPages = 1000
	// syncMargin goes back before the last look, against clocks that differ
	// between the servers of one Nextcloud and requests that overlap.
	syncMargin = time.Minute
	// keepAnswer is how many changed notes may come again with each look, so
	// that the answer's etag stays of use, before the look begins later.
	keepAnswer = 20
	// minTimeLeft is when to stop reading pages and answer with what is there.
	minTimeLeft = 5 * time.Second
)

// Page sizes. The server walks through all notes for each page, so that few
// large pages are cheaper than many small ones.
const (
	firstPage   = 100
	largestPage = 800
	smallAnswer = 1 << 20 // bytes; below it the next page is twice as large
)

// library is what is known of all notes of one person. It is never changed
// once it is kept.
type library struct {
	notes   []*Note // newest first
	whole   bool    // the notes have their content
	size    int     // bytes
	skipped []Skipped
	partial string // why not all notes were looked at; empty when they were

	since time.Time // the next look asks what changed since then
	etag  string    // of the answer to that question, when it was asked already
}

// kept is what is remembered of the person's notes; nil when nothing is.
func (c *Client) kept(ctx context.Context) *library {
	v, _ := c.nc.Cached(ctx, libraryKey)
	lib, _ := v.(*library)
	return lib
}

// sync brings base up to date, or reads everything when base is nil, and keeps
// the outcome. Each note that arrives with its content is shown to visit, once
// per version; visit may be nil.
func (c *Client) sync(ctx context.Context, base *library, visit func(*Note)) (*library, error) {
	s := newSync(base, visit)
	for {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < minTimeLeft && len(s.fresh) > 0 {
			s.stop("time ran out")
			break
		}
		page, err := c.List(ctx, s.options)
		switch {
		case errors.Is(err, nextcloud.ErrTooLarge) && s.shrink():
			continue
		case err != nil:
			return nil, err
		case page.NotModified && base == nil:
			return nil, &nextcloud.Error{Op: "list notes", Kind: nextcloud.ErrBadAnswer, Status: http.StatusNotModified, Message: "nothing changed, says the answer, but nothing was known"}
		case page.NotModified:
			return base, nil
		}
		if done := s.add(page); done {
			break
		}
	}
	if err := c.complete(ctx, s); err != nil {
		return nil, err
	}
	lib := s.library()
	if lib.partial == "" {
		c.nc.Store(ctx, libraryKey, lib, lib.size)
	}
	return lib, nil
}

// complete reads one by one the few notes that the list named but did not
// deliver: two changes in one second can hide a note from a list in pages.
func (c *Client) complete(ctx context.Context, s *syncing) error {
	const most = 20
	for i, id := range s.missing() {
		if i == most {
			s.skipped[id] = "not delivered by the server"
			continue
		}
		n, err := c.read(ctx, "list notes", id, nil)
		switch {
		case errors.Is(err, nextcloud.ErrNotFound):
			delete(s.present, id)
		case errors.Is(err, nextcloud.ErrUnauthenticated), errors.Is(err, nextcloud.ErrRateLimited), ctx.Err() != nil:
			return err
		case err != nil:
			s.skipped[id] = "Nextcloud cannot read its file"
		default:
			s.take(n)
		}
	}
	return nil
}

// syncing is one look at the list, page by page.
type syncing struct {
	base    *library
	visit   func(*Note)
	options ListOptions

	whole   bool
	lone    bool            // the page asked for is one note that is too large with its content
	held    map[int64]*Note // what base has
	fresh   map[int64]*Note // what arrived now
	present map[int64]bool  // what the last page says there is; nil before it
	skipped map[int64]string
	strange []Skipped // skipped without an id
	size    int       // of the contents of fresh and held, in bytes
	pages   int
	began   time.Time
	etag    string
	partial string
}

func newSync(base *library, visit func(*Note)) *syncing {
	s := &syncing{
		base: base, visit: visit, whole: true,
		held: map[int64]*Note{}, fresh: map[int64]*Note{}, skipped: map[int64]string{},
		options: ListOptions{Size: firstPage},
	}
	if base != nil {
		s.whole = base.whole
		s.options.Since, s.options.ETag, s.options.WithoutContent = base.since, base.etag, !base.whole
		for _, n := range base.notes {
			s.held[n.ID] = n
			s.size += weight(n)
		}
		for _, sk := range base.skipped {
			if sk.ID != 0 {
				s.skipped[sk.ID] = sk.Reason
			}
		}
	}
	return s
}

// weight is what a note costs in memory, in bytes.
func weight(n *Note) int {
	return 256 + len(n.Title) + len(n.Category) + len(n.Content) + len(n.ETag) + len(n.Path) + len(n.URL)
}

// add takes in a page and reports whether it was the last.
func (s *syncing) add(p *Page) bool {
	s.pages++
	if s.pages == 1 {
		s.began, s.etag = p.Time, p.ETag
	}
	for _, n := range p.Notes {
		s.take(n)
		if s.lone {
			s.skipped[n.ID] = "too large to search"
		}
	}
	for _, sk := range p.Skipped {
		if sk.ID == 0 {
			s.strange = append(s.strange, sk)
			continue
		}
		s.skipped[sk.ID] = sk.Reason
		delete(s.fresh, sk.ID)
		delete(s.held, sk.ID)
	}
	s.lone = false
	if p.Cursor == "" {
		s.present = map[int64]bool{}
		for _, sk := range p.Skipped {
			s.present[sk.ID] = true
		}
		for _, n := range p.Notes {
			s.present[n.ID] = true
		}
		for _, id := range p.Stubs {
			s.present[id] = true
		}
		return true
	}
	if len(s.fresh) >= maxNotes || s.pages >= maxPages {
		s.stop("there are too many")
		return true
	}
	if p.Cursor == s.options.Cursor {
		s.stop("the server sent the same page twice")
		return true
	}
	s.options.Cursor, s.options.ETag = p.Cursor, ""
	s.options.WithoutContent = !s.whole && s.base != nil
	if p.Bytes < smallAnswer {
		s.options.Size = min(2*s.options.Size, largestPage)
	}
	return false
}

// take holds one note that arrived, without its content when there is no more
// room for contents.
func (s *syncing) take(n *Note) {
	if s.visit != nil {
		s.visit(n)
	}
	if !s.options.WithoutContent {
		delete(s.skipped, n.ID)
	}
	if old, ok := s.fresh[n.ID]; ok {
		s.size -= weight(old)
	} else if old, ok := s.held[n.ID]; ok {
		s.size -= weight(old)
	}
	if !s.whole {
		n = bare(n)
	}
	s.fresh[n.ID] = n
	s.size += weight(n)
	if s.whole && s.size > maxLibrary {
		s.dropContents()
	}
}

func (s *syncing) dropContents() {
	s.whole, s.size = false, 0
	for id, n := range s.held {
		s.held[id] = bare(n)
	}
	for id, n := range s.fresh {
		s.fresh[id] = bare(n)
	}
	for id, n := range s.held {
		if s.fresh[id] == nil {
			s.size += weight(n)
		}
	}
	for _, n := range s.fresh {
		s.size += weight(n)
	}
}

// bare is a copy of n without its content.
func bare(n *Note) *Note {
	b := *n
	b.Content = ""
	return &b
}

// shrink makes the next page smaller after one that was too large; false when
// it cannot be smaller. A single note that is too large comes without content.
func (s *syncing) shrink() bool {
	switch {
	case s.options.Size > 1:
		s.options.Size = max(1, s.options.Size/10)
	case !s.options.WithoutContent:
		s.options.WithoutContent, s.lone = true, true
	default:
		return false
	}
	return true
}

func (s *syncing) stop(why string) {
	s.partial = fmt.Sprintf("only %d notes were searched: %s", len(s.fresh), why)
}

// missing are the notes that are there and of which nothing is known.
func (s *syncing) missing() []int64 {
	var ids []int64
	for id := range s.present {
		if s.fresh[id] == nil && s.held[id] == nil && s.skipped[id] == "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// library is the outcome.
func (s *syncing) library() *library {
	lib := &library{whole: s.whole, partial: s.partial, skipped: s.strange}
	for id, n := range s.held {
		if _, again := s.fresh[id]; !again && (s.present == nil || s.present[id]) {
			lib.notes = append(lib.notes, n)
		}
	}
	for id, n := range s.fresh {
		if s.present == nil || s.present[id] {
			lib.notes = append(lib.notes, n)
		}
	}
	slices.SortFunc(lib.notes, newestFirst)
	for _, n := range lib.notes {
		lib.size += weight(n)
	}
	for id, why := range s.skipped {
		if s.present == nil || s.present[id] {
			lib.skipped = append(lib.skipped, Skipped{id, why})
		}
	}
	slices.SortFunc(lib.skipped, func(a, b Skipped) int { return cmp.Compare(a.ID, b.ID) })
	// The question stays the same while its answer is small, so that the
	// server can say that the answer is, too.
	if s.base != nil && s.pages == 1 && len(s.fresh) <= keepAnswer && s.whole == s.base.whole {
		lib.since, lib.etag = s.base.since, s.etag
	} else if !s.began.IsZero() {
		lib.since = s.began.Add(-syncMargin)
	}
	return lib
}

func newestFirst(a, b *Note) int {
	return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(b.ID, a.ID))
}

// inCategory reports whether a note is in a category or in one below it.
func inCategory(n *Note, category string) bool {
	category = strings.Trim(category, "/")
	if category == "" {
		return true
	}
	have, want := foldString(n.Category), foldString(category)
	return have == want || strings.HasPrefix(have, want+"/")
}
