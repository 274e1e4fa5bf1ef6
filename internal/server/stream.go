package server

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// keepAlive sends a comment on event streams that are silent for long, so that
// proxies do not cut them, and asks proxies not to buffer them (MCP
// 2026-07-28, Transports).
func keepAlive(next http.Handler, every time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &stream{ResponseWriter: w, every: every}
		defer s.stop()
		next.ServeHTTP(s, r)
	})
}

// writeTimeout bounds how long one event may take to be taken by the client.
const writeTimeout = time.Minute

// stream is a response that may turn out to be an event stream. The SDK writes
// each event in one Write, so a comment between two writes is between events.
type stream struct {
	http.ResponseWriter
	every time.Duration

	mu      sync.Mutex // guards the fields below and the writer
	started bool
	timer   *time.Timer
	done    bool
}

func (s *stream) start() {
	if s.started {
		return
	}
	s.started = true
	if !strings.HasPrefix(s.Header().Get("Content-Type"), "text/event-stream") {
		return
	}
	s.Header().Set("X-Accel-Buffering", "no")
	s.timer = time.AfterFunc(s.every, s.comment)
}

// WriteHeader implements http.ResponseWriter.
func (s *stream) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	if s.timer != nil {
		s.timer.Reset(s.every)
	}
	return s.write(b)
}

// write writes within a limit: a client that reads no more must not hold the
// stream, and who waits for it, for ever.
func (s *stream) write(b []byte) (int, error) {
	_ = http.NewResponseController(s.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	return s.ResponseWriter.Write(b)
}

// FlushError implements what http.ResponseController looks for.
func (s *stream) FlushError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	return http.NewResponseController(s.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (s *stream) Flush() { _ = s.FlushError() }

// Unwrap lets http.ResponseController set deadlines.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *stream) comment() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	if _, err := s.write([]byte(": keep-alive\n\n")); err != nil {
		return
	}
	_ = http.NewResponseController(s.ResponseWriter).Flush()
	s.timer.Reset(s.every)
}

func (s *stream) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
	if s.timer != nil {
		s.timer.Stop()
	}
	// What is still in buffers is sent after this, within a limit of its own.
	_ = http.NewResponseController(s.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
}
