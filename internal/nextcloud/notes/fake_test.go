package notes

import (
	"cmp"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// fakeNotes is the list of the Notes app as far as searching needs it: with
// chunks, pruning and etags, and with a clock that a test turns.
type fakeNotes struct {
	mu     sync.Mutex
	now    int64
	notes  map[int64]*fakeNote
	asked  []string       // the queries of all list requests
	status map[string]int // "METHOD path" -> answer with this status
	limit  int            // fail lists whose answer is larger, as our own limit would
}

type fakeNote struct {
	title, content string
	updated        int64
	broken         bool
}

func newFake() *fakeNotes {
	return &fakeNotes{now: 1_800_000_000, notes: map[int64]*fakeNote{}, status: map[string]int{}}
}

func (f *fakeNotes) put(id int64, title, content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes[id] = &fakeNote{title: title, content: content, updated: f.now}
}

func (f *fakeNotes) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now += int64(d / time.Second)
}

// requests are the queries of the list requests since the last call.
func (f *fakeNotes) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

func (f *fakeNotes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if status := f.status[r.Method+" "+r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"errorType":"Exception"}`))
		return
	}
	if id, ok := strings.CutPrefix(r.URL.Path, apiPath+"/notes/"); ok {
		n, _ := strconv.ParseInt(id, 10, 64)
		if f.notes[n] == nil {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errorType":"Exception"}`))
			return
		}
		writeJSON(w, f.wire(n, r.URL.Query().Get("exclude") == "content"))
		return
	}
	f.list(w, r)
}

func (f *fakeNotes) wire(id int64, bare bool) map[string]any {
	n := f.notes[id]
	out := map[string]any{
		"id": id, "title": n.title, "category": "", "modified": n.updated, "favorite": false, "readonly": false,
		"error": n.broken, "etag": fmt.Sprintf("%x", md5.Sum([]byte(n.title+n.content))),
	}
	if !bare {
		out["content"] = n.content
	}
	return out
}

func (f *fakeNotes) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f.asked = append(f.asked, q.Encode())
	since, _ := strconv.ParseInt(q.Get("pruneBefore"), 10, 64)
	size, _ := strconv.Atoi(q.Get("chunkSize"))
	began, cursorTime, cursorID := f.now, int64(0), int64(0)
	_, _ = fmt.Sscanf(q.Get("chunkCursor"), "%d-%d-%d", &began, &cursorTime, &cursorID)
	var ids []int64
	for id, n := range f.notes {
		if n.updated >= since && (n.updated > cursorTime || n.updated == cursorTime && id > cursorID) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b int64) int {
		return cmp.Or(cmp.Compare(f.notes[a].updated, f.notes[b].updated), cmp.Compare(a, b))
	})
	if size > 0 && len(ids) > size {
		ids = ids[:size]
		last := ids[size-1]
		w.Header().Set("X-Notes-Chunk-Cursor", fmt.Sprintf("%d-%d-%d", began, f.notes[last].updated, last))
	}
	out := []any{}
	for _, id := range ids {
		out = append(out, f.wire(id, q.Get("exclude") == "content"))
	}
	if w.Header().Get("X-Notes-Chunk-Cursor") == "" {
		full := map[int64]bool{}
		for _, id := range ids {
			full[id] = true
		}
		var others []int64
		for id := range f.notes {
			if !full[id] {
				others = append(others, id)
			}
		}
		slices.Sort(others)
		for _, id := range others {
			out = append(out, map[string]any{"id": id})
		}
	}
	body, _ := json.Marshal(out)
	if f.limit > 0 && len(body) > f.limit {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	etag := fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(body)))
	w.Header().Set("ETag", etag)
	w.Header().Set("Last-Modified", time.Unix(began, 0).UTC().Format(http.TimeFormat))
	if r.Header.Get("If-None-Match") == etag {
		f.asked[len(f.asked)-1] += " 304"
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body)
}

func writeJSON(w http.ResponseWriter, v any) {
	b, _ := json.Marshal(v)
	_, _ = w.Write(b)
}

// client is a client of h, with a cache of its own.
func client(tb testing.TB, h http.Handler) *Client {
	tb.Helper()
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	return New(nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
}
