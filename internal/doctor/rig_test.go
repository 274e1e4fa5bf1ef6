package doctor_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/doctor"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// rig is a real MCP server behind a reverse proxy, with a simulated Nextcloud.
type rig struct {
	sim     *nextcloudtest.Server
	public  string // the proxy's address, with the prefix when there is one
	environ []string
}

// site is what differs between rigs.
type site struct {
	nextcloud nextcloudtest.Options
	prefix    string // path of the public address
	variables []string
	proxy     func(next http.Handler) http.Handler // what is wrong with the proxy; nil for nothing
	rewrite   func(*httputil.ProxyRequest)         // how the proxy asks; nil keeps everything
	stated    func(public string) string           // NEXTCLOUD_MCP_SERVER_URL; nil for the proxy's address
	down      bool                                 // the server does not run
}

// readyLog waits for the line that says that people can sign in.
type readyLog struct {
	mu    sync.Mutex // guards the fields below
	text  bytes.Buffer
	once  sync.Once
	ready chan struct{}
}

func (l *readyLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	if strings.Contains(l.text.String(), "MCP server ready at") {
		l.once.Do(func() { close(l.ready) })
	}
	return len(b), nil
}

func (s site) start(t *testing.T) *rig {
	t.Helper()
	r := &rig{sim: nextcloudtest.Start(t, &s.nextcloud)}
	port := freeport.Take(t)
	target := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	reverse := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = target.Scheme, target.Host, p.In.Host
			if s.rewrite != nil {
				s.rewrite(p)
			}
		},
		ErrorLog: nil, FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	var h http.Handler = reverse
	if s.proxy != nil {
		h = s.proxy(h)
	}
	proxy := httptest.NewServer(h)
	t.Cleanup(proxy.Close)
	r.public = proxy.URL + s.prefix
	stated := r.public
	if s.stated != nil {
		stated = s.stated(r.public)
	}
	r.environ = append([]string{
		"PORT=" + strconv.Itoa(port), "NEXTCLOUD_HOST=" + r.sim.URL(), "NEXTCLOUD_MCP_SERVER_URL=" + stated,
		"TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "data", "tokens.db"),
	}, s.variables...)
	if !s.down {
		r.serve(t)
	}
	return r
}

// serve runs the server until the test ends, and waits until it is ready.
func (r *rig) serve(t *testing.T) {
	t.Helper()
	cfg, _, err := config.Load(nil, r.environ, config.EnvFile{}, app.CheckTools)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := &readyLog{ready: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- app.Serve(ctx, cfg, app.Streams{In: strings.NewReader(""), Out: io.Discard, Err: log}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case <-log.ready:
	case err := <-done:
		done <- nil
		t.Fatalf("the server ended with %v", err)
	}
}

// examine runs the doctor on the settings of the rig.
func (r *rig) examine(t *testing.T, change func(*doctor.Options)) doctor.Report {
	t.Helper()
	cfg, warnings, err := config.Load(nil, r.environ, config.EnvFile{}, app.CheckTools)
	opts := doctor.Options{Config: cfg, Warnings: warnings}
	if problems, ok := err.(config.Problems); ok { //nolint:errorlint // Load answers them as they are
		opts.Problems = problems
	}
	if change != nil {
		change(&opts)
	}
	return doctor.Run(t.Context(), opts, nil)
}

// visit runs the doctor as a stranger who was given an address.
func visit(t *testing.T, address string, change func(*doctor.Options)) doctor.Report {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	opts := doctor.Options{Server: u}
	if change != nil {
		change(&opts)
	}
	return doctor.Run(t.Context(), opts, nil)
}

// line is one that a report must have: status, and a pattern for what it says
// and for what to do.
type line struct {
	id     string
	status doctor.Status
	says   string
	fix    string
}

func (l line) in(report doctor.Report) bool {
	for _, c := range report.Checks {
		if c.ID == l.id && c.Status == l.status && regexp.MustCompile(l.says).MatchString(c.Detail) && regexp.MustCompile(l.fix).MatchString(c.Fix) {
			return true
		}
	}
	return false
}

func text(report doctor.Report) string {
	var b strings.Builder
	for _, c := range report.Checks {
		b.WriteString(c.ID + " ")
		c.Print(&b)
	}
	return b.String()
}

// want checks that a report has all lines.
func want(t *testing.T, report doctor.Report, lines ...line) {
	t.Helper()
	for _, l := range lines {
		if !l.in(report) {
			t.Errorf("there is no %s line %q that says %q, do %q; all lines:\n%s", l.status, l.id, l.says, l.fix, text(report))
		}
	}
}

// wantNothingElse checks that no other check than those named found anything.
func wantNothingElse(t *testing.T, report doctor.Report, ids ...string) {
	t.Helper()
	for _, c := range report.Checks {
		known := false
		for _, id := range ids {
			known = known || id == c.ID
		}
		if !known && (c.Status == doctor.Warning || c.Status == doctor.Problem) {
			t.Errorf("a surplus line: %s %s: %s -> %s", c.ID, c.Status, c.Detail, c.Fix)
		}
	}
}
