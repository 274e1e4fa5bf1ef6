package nextcloudtest

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxRequests bounds the request log; older entries are dropped.
const maxRequests = 10_000

// Request is one request that reached the simulator, without its secrets.
type Request struct {
	Time      time.Time
	Method    string
	Path      string // without the query, which may carry codes and tokens
	Status    int    // zero when the connection was cut before an answer
	User      string // id of the user it was answered for, or empty
	Auth      string // scheme of Authorization: "Basic", "Bearer", another one, or empty
	Cookie    bool   // cookies were sent
	OCSHeader bool   // OCS-APIRequest: true was sent
	UserAgent string
}

// requestLog is a bounded list of requests; its zero value is ready.
type requestLog struct {
	mu      sync.Mutex // guards the fields below
	entries []Request
	total   int
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= maxRequests {
		l.entries = append(l.entries[:0], l.entries[maxRequests/2:]...)
	}
	l.entries = append(l.entries, r)
	l.total++
}

// Requests lists what was asked since New or ResetRequests, oldest first, at most the last 10,000.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return append([]Request(nil), s.log.entries...)
}

// RequestCount is the number of requests since New or ResetRequests, also beyond what Requests keeps.
func (s *Server) RequestCount() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.total
}

// CountRequests counts the requests of Requests with a method (empty: any) and a beginning of the path.
func (s *Server) CountRequests(method, pathPrefix string) int {
	n := 0
	for _, r := range s.Requests() {
		if (method == "" || r.Method == method) && strings.HasPrefix(r.Path, pathPrefix) {
			n++
		}
	}
	return n
}

// ResetRequests empties the log and the counter.
func (s *Server) ResetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.entries, s.log.total = nil, 0
}

// logged is a response writer that remembers the status and the user of an answer.
type logged struct {
	http.ResponseWriter
	status int
}

func (w *logged) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *logged) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *logged) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// record writes the request and its answer into the log.
func (s *Server) record(w *logged, r *http.Request) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.log.add(Request{
		Time:      s.now(),
		Method:    r.Method,
		Path:      r.URL.Path,
		Status:    w.status,
		User:      w.Header().Get("X-User-Id"),
		Auth:      scheme,
		Cookie:    r.Header.Get("Cookie") != "",
		OCSHeader: ocsHeader(r),
		UserAgent: r.UserAgent(),
	})
}
