package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// events answers as an event stream that sends one event per entry of waits,
// each after that time.
func events(waits ...time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for i, wait := range waits {
			time.Sleep(wait)
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	})
}

func TestKeepAlive(t *testing.T) {
	const every = 25 * time.Second
	for name, test := range map[string]struct {
		waits []time.Duration
		want  string
	}{
		"busy":            {[]time.Duration{24 * time.Second, 24 * time.Second}, "data: 0\n\ndata: 1\n\n"},
		"silent once":     {[]time.Duration{26 * time.Second}, ": keep-alive\n\ndata: 0\n\n"},
		"silent for long": {[]time.Duration{76 * time.Second}, ": keep-alive\n\n: keep-alive\n\n: keep-alive\n\ndata: 0\n\n"},
		"again":           {[]time.Duration{time.Second, 26 * time.Second}, "data: 0\n\n: keep-alive\n\ndata: 1\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := httptest.NewRecorder()
				keepAlive(events(test.waits...), every).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
				// Nothing comes after the end.
				time.Sleep(10 * every)
				synctest.Wait()
				if got := rec.Body.String(); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
				if rec.Header().Get("X-Accel-Buffering") != "no" || !rec.Flushed {
					t.Errorf("proxies may hold the stream back: %v", rec.Header())
				}
			})
		})
	}
}

func TestKeepAliveLeavesOtherAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := httptest.NewRecorder()
		keepAlive(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "{")
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "}")
		}), time.Second).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		if rec.Body.String() != "{}" || rec.Header().Get("X-Accel-Buffering") != "" {
			t.Errorf("%q, %v", rec.Body.String(), rec.Header())
		}
	})
}

func TestKeepAliveEndsWithAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := httptest.NewRecorder()
		func() {
			defer func() { _ = recover() }()
			keepAlive(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				events(0).ServeHTTP(w, r)
				panic(http.ErrAbortHandler)
			}), time.Second).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if rec.Body.String() != "data: 0\n\n" {
			t.Errorf("%q", rec.Body.String())
		}
	})
}

// TestNoCommentAfterTheEnd checks the timer that fires while the answer ends.
func TestNoCommentAfterTheEnd(t *testing.T) {
	rec := httptest.NewRecorder()
	s := &stream{ResponseWriter: rec, every: time.Hour}
	events(0).ServeHTTP(s, nil)
	s.stop()
	s.comment()
	if got := rec.Body.String(); got != "data: 0\n\n" {
		t.Errorf("%q", got)
	}
}

// TestKeepAliveWritersDoNotMix lets comments and events race.
func TestKeepAliveWritersDoNotMix(t *testing.T) {
	rec := httptest.NewRecorder() // has no lock: the race detector sees a missing one
	keepAlive(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 500 {
					_, _ = io.WriteString(w, "data: x\n\n")
					w.(http.Flusher).Flush()
				}
			})
		}
		wg.Wait()
	}), time.Nanosecond).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	n := 0
	for _, event := range strings.SplitAfter(rec.Body.String(), "\n\n") {
		switch event {
		case "data: x\n\n":
			n++
		case ": keep-alive\n\n", "":
		default:
			t.Fatalf("mixed event %q", event)
		}
	}
	if n != 2000 {
		t.Errorf("%d events", n)
	}
}

// pipeListener hands out connections that live in a synctest bubble.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// serve serves h on a connection within the bubble and answers its client end.
func serve(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	l := &pipeListener{make(chan net.Conn, 1), make(chan struct{})}
	ours, theirs := net.Pipe()
	l.connections <- theirs
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		_ = ours.Close()
	})
	return ours
}

// TestStuckReader checks that a client that stops reading its stream does not
// hold the handler for ever.
func TestStuckReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		conn := serve(t, keepAlive(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					ended <- err
					return
				}
			}
		}), time.Hour))
		start := time.Now()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		<-ended
		if took := time.Since(start); took != writeTimeout {
			t.Errorf("the handler was held for %v", took)
		}
	})
}

// TestLateEnd checks that an answer which was written long before its end is
// still sent, and that the connection serves more requests.
func TestLateEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := serve(t, keepAlive(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "in a buffer")
			time.Sleep(2 * writeTimeout)
		}), time.Hour))
		in := bufio.NewReader(conn)
		for range 2 {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "in a buffer" {
				t.Fatalf("%q, %v", body, err)
			}
			_ = res.Body.Close()
			time.Sleep(2 * writeTimeout)
		}
	})
}

// TestSlowBody checks that a request that does not arrive is given up, by
// whoever sends it.
func TestSlowBody(t *testing.T) {
	for name, test := range map[string]struct {
		head   string
		status int
	}{
		"a person":   {"Authorization: Bearer alice\r\n", 400},
		"a stranger": {"", 401},
		"chunks":     {"Authorization: Bearer alice\r\nTransfer-Encoding: chunked\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := serve(t, newHandler(t, nil, nil).handler)
				start := time.Now()
				head := test.head
				if !strings.Contains(head, "chunked") {
					head += "Content-Length: 100\r\n"
				}
				_, _ = io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: mcp.example.org\r\n"+head+"\r\n{")
				in := bufio.NewReader(conn)
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if res.StatusCode != test.status {
					t.Errorf("status %d", res.StatusCode)
				}
				_, _ = io.Copy(io.Discard, in) // until the server hangs up
				if took := time.Since(start); took > bodyTimeout+time.Second {
					t.Errorf("held for %v", took)
				}
			})
		})
	}
}

// TestLongAnswer checks that the time limit of the body is none of the answer.
func TestLongAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
			peek(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(2 * bodyTimeout)
				if err := r.Context().Err(); err != nil {
					t.Errorf("the request ended: %v", err)
				}
			})).ServeHTTP(w, r)
		}))
		_, _ = io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}

// TestOpenStreamsEnd checks that open streams of both generations end when
// their sessions are closed, so that a stop does not wait for them.
func TestOpenStreamsEnd(t *testing.T) {
	s := newStack(t, nil, nil)
	session := s.connect(t, "alice", "2025-11-25")
	get := func(r request) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), r.method, s.URL+"/mcp", strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = r.header
		req.Header.Set("Authorization", "Bearer alice")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") || res.Header.Get("X-Accel-Buffering") != "no" {
			t.Fatalf("%d, %v", res.StatusCode, res.Header)
		}
		return res
	}
	listen := modern("", "subscriptions/listen", "", `"notifications":{"toolsListChanged":true}`)
	listen.method = "POST"
	_ = session // its own GET stream is open as well
	open := get(listen)
	defer open.Body.Close()
	// The first event says that the subscription stands.
	if line, err := bufio.NewReader(open.Body).ReadString('\n'); err != nil || line == "" {
		t.Fatalf("%q, %v", line, err)
	}
	for session := range s.mcp.Sessions() {
		_ = session.Close()
	}
	stop, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(stop); err != nil {
		t.Errorf("a stop waits for open streams: %v", err)
	}
	_, _ = io.Copy(io.Discard, open.Body)
}

// TestSessionsAreBounded checks that one person cannot open sessions without
// end, and does not push out those of others.
func TestSessionsAreBounded(t *testing.T) {
	s := newStack(t, nil, nil)
	initialize := older("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`)
	open := func(token string) string {
		a := s.send(t, request{token: token, body: initialize})
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return a.header.Get("Mcp-Session-Id")
	}
	bob := open("bob")
	first, second := open("alice"), open("alice")
	for range maxSessions - 1 {
		open("alice")
	}
	alive := func(token, id string) bool {
		return s.send(t, request{token: token, body: older("ping", "{}"), header: http.Header{"Mcp-Session-Id": {id}}}).status == 200
	}
	for range 1000 { // the oldest is closed in the background
		if !alive("alice", first) {
			break
		}
	}
	if alive("alice", first) {
		t.Error("the oldest session is still there")
	}
	if !alive("alice", second) {
		t.Error("more than the oldest session was closed")
	}
	if !alive("bob", bob) {
		t.Error("somebody else's session was closed")
	}
	n := 0
	for range s.mcp.Sessions() {
		n++
	}
	if n > maxSessions+1 {
		t.Errorf("%d sessions", n)
	}
}
