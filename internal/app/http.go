package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/server"
)

type checks = map[string]server.Check

// front is what differs between the modes at the HTTP side.
type front struct {
	mode     string
	door     auth.Verifier // without door and basic, /mcp is open
	basic    server.Basic
	issuer   func() (string, error) // needed with door
	identity scope.Set              // what a first sign-in asks for beside the tools' scopes
	mount    func(mux *http.ServeMux, prefix string)
	ready    func() (bool, checks)
	up       func() // called when the port is open
}

// http serves until ctx ends, then lets open requests finish.
func (a *app) http(ctx context.Context, m *mcp.Server, f front) error {
	cfg := server.Config{
		MCP: m, Gate: a.registry, Log: a.log,
		Public: a.cfg.Server.PublicURL, AllowedHosts: a.cfg.Server.AllowedHosts, AllowedOrigins: a.cfg.Server.AllowedOrigins,
		Door: f.door, Basic: f.basic, Issuer: f.issuer, Identity: f.identity, Mount: f.mount,
		ClientAddr: ratelimit.Proxies(a.cfg.Server.TrustedProxies).Of,
		Health:     server.Health{Mode: f.mode, Ready: f.ready},
	}
	if a.metrics != nil {
		cfg.Observe = a.metrics.Request
	}
	handler := server.New(cfg)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Server.Addr())
	if err != nil {
		return portError(err, "--port")
	}
	srv := a.httpServer(handler)
	// Buffered for every server, so that none of them waits for a reader.
	failed := make(chan error, 2)
	go func() { failed <- srv.Serve(listener) }()
	stopMetrics, err := a.serveMetrics(ctx, failed)
	if err != nil {
		_ = srv.Close()
		return err
	}
	defer stopMetrics()
	f.up()
	select {
	case err := <-failed:
		_ = srv.Close()
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.log.InfoContext(ctx, "Stopping")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	// Open event streams never end by themselves. Beside the shutdown, because
	// a session waits for its calls.
	for session := range m.Sessions() {
		go func() { _ = session.Close() }()
	}
	if err := srv.Shutdown(stop); err != nil {
		a.log.WarnContext(stop, "Some requests were cut off at the stop", "error", err)
		_ = srv.Close()
	}
	return nil
}

func (a *app) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// No read or write timeout: event streams stay open.
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

// portError says which setting chooses another port.
func portError(err error, setting string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: another program uses this port; choose another one with %s", err, setting)
	}
	return err // says "listen" itself
}

// serveMetrics opens the listener of /metrics when it is switched on.
func (a *app) serveMetrics(ctx context.Context, failed chan<- error) (stop func(), err error) {
	if a.metrics == nil {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Metrics.Addr())
	if err != nil {
		return nil, portError(err, "METRICS_PORT")
	}
	srv := a.httpServer(a.metrics.Handler())
	go func() {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return func() { _ = srv.Close() }, nil
}
