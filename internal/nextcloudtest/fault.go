package nextcloudtest

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is a way in which requests go wrong. The first registered fault that fits a request is used. Without Status,
// Body and HTML the request is answered as usual and the answer is then damaged.
type Fault struct {
	Method     string // empty: any
	PathPrefix string // empty: every path
	Times      int    // how many requests it hits; zero: until it is cleared

	Delay  time.Duration // before anything else
	Status int           // answer with this status; 200 when only Body or HTML is set
	Header http.Header   // set on the answer
	Body   string
	HTML   bool // answer with a web page, as proxies do

	CutBody            int  // end the connection after that many bytes of the body; negative: before the first
	WrongContentLength bool // announce more bytes than come
	GarbageXML         bool // a body that is not well-formed XML
	GarbageJSON        bool // a body that is not JSON
	Reset              bool // reset the connection instead of answering
}

// faults are the registered faults; the zero value is ready.
type faults struct {
	mu   sync.Mutex // guards the fields below
	list []*activeFault
}

type activeFault struct {
	Fault
	left int // hits left; negative: no limit
}

// Fault registers a fault and returns what clears it.
func (s *Server) Fault(f Fault) (clearFault func()) {
	active := &activeFault{Fault: f, left: f.Times}
	if f.Times <= 0 {
		active.left = -1
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, active)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		active.left = 0
	}
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// take returns the fault for a request and uses up one hit.
func (f *faults) take(r *http.Request) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.list {
		if fault.left == 0 || (fault.Method != "" && fault.Method != r.Method) || !strings.HasPrefix(r.URL.Path, fault.PathPrefix) {
			continue
		}
		if fault.left > 0 {
			fault.left--
		}
		return fault.Fault, true
	}
	return Fault{}, false
}

// serveFault answers a request that a fault has hit; next answers it as usual.
func (s *Server) serveFault(w http.ResponseWriter, r *http.Request, f Fault, next http.HandlerFunc) {
	if !pause(r.Context(), f.Delay) {
		return
	}
	if f.Reset {
		resetConnection(w)
	}
	answer := &buffered{header: http.Header{}}
	switch {
	case f.HTML:
		writePage(answer, max(f.Status, http.StatusOK), "Bad gateway", "A proxy answers with a web page.")
	case f.Status != 0 || f.Body != "":
		answer.header.Set("Content-Type", "text/plain; charset=utf-8")
		answer.WriteHeader(max(f.Status, http.StatusOK))
		answer.body.WriteString(f.Body)
	default:
		next(answer, r)
	}
	switch {
	case f.GarbageXML:
		answer.replace("application/xml; charset=utf-8", `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response><d:href>/x`)
	case f.GarbageJSON:
		answer.replace("application/json; charset=utf-8", `{"ocs":{"meta":{"status":"ok"},"da`)
	}
	maps.Copy(w.Header(), answer.header)
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	body := answer.body.Bytes()
	if f.WrongContentLength {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+100))
	}
	if f.CutBody != 0 {
		w.Header().Del("Content-Length")
		body = body[:min(len(body), max(f.CutBody, 0))]
	}
	w.WriteHeader(answer.statusOr(http.StatusOK))
	// A client that went away is not the simulator's trouble.
	_, _ = w.Write(body)
	if f.CutBody != 0 || f.WrongContentLength {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// pause waits unless the request ends first, which it reports as false.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// resetConnection closes the connection with a TCP reset where the transport allows it, and never returns.
func resetConnection(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}

// buffered is a response writer that keeps the answer.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header { return b.header }

func (b *buffered) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffered) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

func (b *buffered) statusOr(status int) int {
	if b.status == 0 {
		return status
	}
	return b.status
}

func (b *buffered) replace(contentType, body string) {
	b.header.Set("Content-Type", contentType)
	b.header.Del("Content-Length")
	b.body.Reset()
	b.body.WriteString(body)
}
