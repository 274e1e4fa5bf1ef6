package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/store"
)

const baseURL = "https://mcp.example.com/nc"

// clock is a time that tests move.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// env is a directory over a real database behind real HTTP handlers.
type env struct {
	*clients.Directory
	clock *clock
	store *store.Store
	log   *bytes.Buffer
	mux   *http.ServeMux
}

func setUp(t *testing.T, change ...func(*clients.Config)) *env {
	t.Helper()
	e := &env{clock: newClock(), log: &bytes.Buffer{}, mux: http.NewServeMux()}
	var err error
	e.store, err = store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "test.db"), Now: e.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.store.Close() })
	cfg := clients.Config{
		Store:   e.store,
		Schemes: redirect.DefaultSchemes(),
		BaseURL: baseURL,
		Log:     slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:     e.clock.now,
	}
	for _, f := range change {
		f(&cfg)
	}
	e.Directory = clients.New(cfg)
	e.mux.HandleFunc("/oauth/register", e.Register)
	e.mux.HandleFunc("/oauth/register/{client_id}", e.Manage)
	return e
}

// do is one request and its answer, JSON decoded.
func (e *env) do(t *testing.T, method, path, body string, header map[string]string) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	out := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s %s answers %q: %v", method, path, w.Body, err)
		}
	}
	return w, out
}

// register registers a client that must be taken.
func (e *env) register(t *testing.T, body string) map[string]any {
	t.Helper()
	resp, out := e.do(t, http.MethodPost, "/oauth/register", body, nil)
	if resp.Code != http.StatusCreated {
		t.Fatalf("registration answers %d %v", resp.Code, out)
	}
	return out
}

// web is a part of the web that holds documents.
type web struct {
	mu      sync.Mutex
	pages   map[string]page
	fetches map[string]int
	wait    chan struct{} // when set, fetches wait for it
	started chan string   // when set, fetches report here first
}

type page struct {
	answer safehttp.Answer
	err    error
}

func newWeb() *web { return &web{pages: map[string]page{}, fetches: map[string]int{}} }

func (w *web) Get(ctx context.Context, url string) (*safehttp.Answer, error) {
	w.mu.Lock()
	w.fetches[url]++
	p, ok := w.pages[url]
	w.mu.Unlock()
	if w.started != nil {
		w.started <- url
	}
	if w.wait != nil {
		select {
		case <-w.wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !ok {
		return &safehttp.Answer{Status: http.StatusNotFound, Header: http.Header{}}, nil
	}
	if p.err != nil {
		return nil, p.err
	}
	answer := p.answer
	return &answer, nil
}

// put places a document; header has pairs of names and values.
func (w *web) put(url, body string, header ...string) {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	w.set(url, page{answer: safehttp.Answer{Status: http.StatusOK, Header: h, Body: []byte(body)}})
}

func (w *web) status(url string, status int) {
	w.set(url, page{answer: safehttp.Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}}})
}

func (w *web) fail(url string, kind error) { w.set(url, page{err: &safehttp.Error{Kind: kind}}) }

func (w *web) set(url string, p page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[url] = p
}

func (w *web) count(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fetches[url]
}

// document is a valid document for an address, with other members put in.
func document(id string, members map[string]any) string {
	all := map[string]any{
		"client_id": id, "client_name": "Example", "redirect_uris": []string{"https://app.example.org/cb"},
		"token_endpoint_auth_method": "none",
	}
	maps.Copy(all, members)
	for name, value := range all {
		if value == nil {
			delete(all, name)
		}
	}
	data, _ := json.Marshal(all)
	return string(data)
}
