package nextcloudtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// listening is the open port of a Server, when there is one.
type listening struct {
	url    string
	server *http.Server
	done   chan struct{}
}

// errListening refuses a second port.
var errListening = errors.New("the simulated Nextcloud listens already")

// Listen serves on addr ("127.0.0.1:0" takes any free port) until ctx ends or Close is called, and returns at once.
func (s *Server) Listen(ctx context.Context, addr string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened.server != nil {
		return errListening
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	s.opened = listening{url: "http://" + listener.Addr().String(), server: server, done: done}
	go func() {
		defer close(done)
		// Serve always ends with an error; the interesting one, a lost listener, shows as refused connections.
		_ = server.Serve(listener)
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return nil
}

// URL is where people reach this Nextcloud: Options.BaseURL, else the address of Listen, else empty.
func (s *Server) URL() string {
	if s.opts.BaseURL != "" {
		return s.opts.BaseURL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened.url
}

// Close ends what Listen began and cuts open connections.
func (s *Server) Close() error {
	s.mu.Lock()
	server, done := s.opened.server, s.opened.done
	s.opened = listening{}
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	<-done
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// TB is what Start needs of a *testing.T, so that package testing stays out of programs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start runs a simulated Nextcloud on a free loopback port for as long as the test runs.
func Start(tb TB, opts *Options) *Server {
	tb.Helper()
	s := New(opts)
	if err := s.Listen(context.Background(), "127.0.0.1:0"); err != nil {
		tb.Fatalf("start simulated Nextcloud: %v", err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}
