package nextcloudtest

import (
	"net/http"
	"net/url"
	"strings"
)

// maxRequestBody bounds every request body in bytes.
const maxRequestBody = 64 << 20

// ServeHTTP answers like Nextcloud behind a web server with mod_rewrite.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := &logged{ResponseWriter: w}
	defer s.record(answer, r)
	r.Body = http.MaxBytesReader(answer, r.Body, maxRequestBody)
	if fault, hit := s.faults.take(r); hit {
		s.serveFault(answer, r, fault, s.answer)
		return
	}
	s.answer(answer, r)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	state := s.switches()
	r = withoutIndex(r)
	switch {
	case state.untrustedDomain:
		refuseDomain(w, r)
	case state.maintenance && r.URL.Path != "/status.php":
		answerMaintenance(w, r)
	default:
		s.route(w, r)
	}
}

// withoutIndex removes "/index.php" from the front of a path, as mod_rewrite makes it optional.
func withoutIndex(r *http.Request) *http.Request {
	path, found := strings.CutPrefix(r.URL.Path, "/index.php/")
	if !found {
		return r
	}
	u := *r.URL
	u.Path = "/" + path
	if u.RawPath != "" {
		u.RawPath = strings.TrimPrefix(u.RawPath, "/index.php")
	}
	clone := *r
	clone.URL = &u
	return &clone
}

// route finds the handler of a request, or answers as Nextcloud does when there is none.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	h, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	refused := &buffered{header: http.Header{}}
	h.ServeHTTP(refused, r)
	wrongMethod := refused.status == http.StatusMethodNotAllowed
	switch kindOf(r.URL.Path) {
	case kindOCS:
		if wrongMethod {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if s.introduce(w, r, familyOCS) {
			writeOCSFailure(w, r, ocsNotFound, "Invalid query, please check the syntax. API specifications are here: http://www.freedesktop.org/wiki/Specifications/open-collaboration-services.\n")
		}
	case kindDAV:
		if _, ok := s.admit(w, r, familyDAV); ok {
			answerUnknownDAV(w, r)
		}
	case kindRemote:
		// Nextcloud: an unknown service of remote.php is a web page with status 200.
		writePage(w, http.StatusOK, "Internal Server Error", "Path not found")
	default:
		if wrongMethod {
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if s.introduce(w, r, familyCORS) {
			writePage(w, http.StatusNotFound, "Page not found", "The page could not be found on the server or you may not be allowed to view it.")
		}
	}
}

// introduce names the user of a request that needs none, and refuses bad credentials all the same.
func (s *Server) introduce(w http.ResponseWriter, r *http.Request, f family) bool {
	who, no := s.identify(r)
	if no != notRefused {
		refuseCredentials(w, r, f, no)
		return false
	}
	if who.account != nil {
		w.Header().Set("X-User-Id", who.account.id)
	}
	return true
}

// answerUnknownDAV answers for the parts of the DAV tree that nothing is registered for.
func answerUnknownDAV(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR", "COPY", "MOVE", "SEARCH":
		name := r.URL.Path[strings.LastIndex(strings.TrimSuffix(r.URL.Path, "/"), "/")+1:]
		writeDAVFailure(w, davNotFound("File with name %s could not be located", strings.TrimSuffix(name, "/")))
	default:
		writeDAVFailure(w, davNotImplemented(r.Method))
	}
}

// pathKind tells which of Nextcloud's entry points serves a path.
type pathKind int

const (
	kindIndex pathKind = iota
	kindOCS
	kindDAV
	kindRemote
)

func kindOf(path string) pathKind {
	switch {
	case strings.HasPrefix(path, "/ocs/"):
		return kindOCS
	case strings.HasPrefix(path, "/remote.php/dav"), strings.HasPrefix(path, "/remote.php/webdav"):
		return kindDAV
	case strings.HasPrefix(path, "/remote.php"):
		return kindRemote
	}
	return kindIndex
}

func answerMaintenance(w http.ResponseWriter, r *http.Request) {
	kind := kindOf(r.URL.Path)
	if kind == kindDAV {
		writeSabre(w, http.StatusServiceUnavailable, `OCA\DAV\Exception\ServerMaintenanceMode`, "System is in maintenance mode.")
		return
	}
	w.Header().Set("X-Nextcloud-Maintenance-Mode", "1")
	if kind == kindOCS {
		writeOCSFailure(w, r, http.StatusServiceUnavailable, "Service unavailable")
		return
	}
	w.Header().Set("Retry-After", "120")
	writePage(w, http.StatusServiceUnavailable, "Maintenance mode", "This Nextcloud instance is currently in maintenance mode, which may take a while.")
}

func refuseDomain(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/status.php" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		writeString(w, `{"error": "Trusted domain error.", "code": 15}`)
		return
	}
	writePage(w, http.StatusBadRequest, "Access through untrusted domain",
		"Please contact your administrator. If you are an administrator, edit the \"trusted_domains\" setting in config/config.php like the example in config.sample.php.")
}

// base is the address of this Nextcloud without a trailing slash, as it writes it into answers.
func (s *Server) base(r *http.Request) string {
	if base := s.URL(); base != "" {
		return strings.TrimSuffix(base, "/")
	}
	return (&url.URL{Scheme: "http", Host: r.Host}).String()
}

// redirect answers 303 without a body, as Nextcloud's RedirectResponse does.
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
}

// writeString sends text. A client that has gone away is not the simulator's trouble.
func writeString(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) }
