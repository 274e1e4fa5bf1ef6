package nextcloud

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"nextcloud-mcp-server/internal/auth"
)

// overNetwork is a client of a server that h answers for.
func overNetwork(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return New(NewHost(mustURL(t, server.URL), nil), basic(), nil)
}

func TestStreamReads(t *testing.T) {
	text := strings.Repeat("0123456789", 10_000)
	c := overNetwork(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"abc"`)
		switch r.URL.Path {
		case "/cut":
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, text[:5000])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/unsaid":
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, text)
		case "/part":
			w.Header().Set("Content-Range", "bytes 0-9/100000")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, text[:10])
		case "/refused":
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<error><message>not there</message></error>`)
		case "/echo":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"`+canary+`"}`)
		default:
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, text)
		}
	})
	for _, test := range []struct {
		path   string
		limit  int64
		want   string
		length int64
		opens  error // of Stream
		reads  error // of its body
	}{
		{path: "/whole", want: text, length: 100_000},
		{path: "/unsaid", want: text, length: -1},
		{path: "/part", want: text[:10], length: 10},
		{path: "/whole", limit: 100_000, want: text, length: 100_000},
		{path: "/whole", limit: 99_999, opens: ErrTooLarge},
		{path: "/unsaid", limit: 99_999, want: text[:99_999], length: -1, reads: ErrTooLarge},
		{path: "/unsaid", limit: 100_000, want: text, length: -1},
		{path: "/cut", want: text[:5000], length: 100_000, reads: ErrUnavailable},
		{path: "/refused", opens: ErrNotFound},
		{path: "/echo", opens: ErrForbidden},
	} {
		s, err := c.Stream(t.Context(), Request{Op: "try", Path: test.path, MaxBody: test.limit})
		if !errors.Is(err, test.opens) || (err != nil) != (test.opens != nil) {
			t.Errorf("%s, %d: %v", test.path, test.limit, err)
		}
		if err != nil {
			if strings.Contains(err.Error(), canary) {
				t.Errorf("%s: the credentials are in %v", test.path, err)
			}
			continue
		}
		got, err := io.ReadAll(s.Body)
		if !errors.Is(err, test.reads) || (err != nil) != (test.reads != nil) {
			t.Errorf("%s, %d: reading ends with %v", test.path, test.limit, err)
		}
		if string(got) != test.want || s.Length != test.length || s.ETag() != "abc" {
			t.Errorf("%s, %d: %d bytes, length %d, etag %q", test.path, test.limit, len(got), s.Length, s.ETag())
		}
		if err := s.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStreamTellsOfRefusedCredentials(t *testing.T) {
	told := 0
	client := New(NewHost(mustURL(t, "https://cloud.example"), &HostOptions{Transport: roundTrips(func(r *http.Request) (*http.Response, error) {
		return answer(r, 401, ""), nil
	})}), Basic{LoginName: "alice", Password: auth.Secret(canary)}, &ClientOptions{Refused: func() { told++ }})
	if _, err := client.Stream(t.Context(), Request{Op: "try", Path: "/x"}); !errors.Is(err, ErrUnauthenticated) || told != 1 {
		t.Errorf("%v, told %d times", err, told)
	}
}

func TestStreamSends(t *testing.T) {
	var lengths []int64
	var bodies []string
	c := overNetwork(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		lengths, bodies = append(lengths, r.ContentLength), append(bodies, string(b))
		w.WriteHeader(http.StatusCreated)
	})
	for _, test := range []struct {
		body   io.Reader
		length int64
		want   string
	}{
		{strings.NewReader("seekable"), 8, "seekable"},
		{io.MultiReader(strings.NewReader("in "), strings.NewReader("parts")), 8, "in parts"},
		{io.MultiReader(strings.NewReader("no length")), -1, "no length"},
		{strings.NewReader(""), 0, ""},
	} {
		lengths, bodies = nil, nil
		_, err := c.Do(t.Context(), Request{Op: "try", Method: "PUT", Path: "/x", Reader: test.body, Length: test.length})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(bodies) != 1 || bodies[0] != test.want || lengths[0] != test.length {
			t.Errorf("got %q of length %d", bodies, lengths)
		}
	}
}

// onward hides that a reader can seek.
type onward struct{ io.Reader }

// A body is sent again only when it can be read again.
func TestStreamSendsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			body  io.Reader
			tries int
			kind  error
		}{
			"seekable": {bytes.NewReader([]byte("body")), 2, nil},
			"onward":   {onward{strings.NewReader("body")}, 1, ErrLocked},
		} {
			var got []string
			client := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
				b, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				got = append(got, string(b))
				if len(got) == 1 {
					return answer(r, 423, ""), nil
				}
				return answer(r, 204, ""), nil
			}), basic(), nil)
			_, err := client.Do(t.Context(), Request{Op: "try", Method: "PUT", Path: "/x", Reader: test.body, Length: 4})
			if !errors.Is(err, test.kind) || (err != nil) != (test.kind != nil) || len(got) != test.tries || got[len(got)-1] != "body" {
				t.Errorf("%s: %v after %q", name, err, got)
			}
		}
	})
}

// A transport that still reads a body when its answer is there does not get in
// the way of the next try.
func TestBodyIsTakenBack(t *testing.T) {
	p := newReplay(Request{Reader: strings.NewReader("body")})
	first := p.next()
	if b := make([]byte, 2); must(t)(first.Read(b)) != 2 {
		t.Error("not read")
	}
	if !p.rewind() {
		t.Fatal("not rewound")
	}
	if n, err := first.Read(make([]byte, 2)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("%d, %v", n, err)
	}
	if b, err := io.ReadAll(p.next()); string(b) != "body" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

func must(t *testing.T) func(int, error) int {
	t.Helper()
	return func(n int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}
