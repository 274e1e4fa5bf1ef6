package nextcloudtest

import (
	"net/http"
	"net/url"
	"strings"
)

// admit authenticates a request as its family demands. When it refuses, it has answered.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, f family) (identity, bool) {
	if f == familyOpen {
		return identity{}, true
	}
	var (
		who identity
		no  refusal
	)
	if f == familyCORS && !s.passesCORS(r) {
		// Nextcloud: the CORS middleware logs the session out, that of the cookie as well as that of the bearer token,
		// and takes nothing but Basic from there.
		s.endSession(s.session(r))
		who, no = s.identifyBasic(r)
	} else {
		who, no = s.identify(r)
	}
	if no != notRefused {
		refuseCredentials(w, r, f, no)
		return identity{}, false
	}
	if who.account == nil {
		if f == familyOCSPublic && ocsPasses(r, who.session) {
			return who, true
		}
		s.refuseNobody(w, r, f)
		return identity{}, false
	}
	if who.session == nil {
		s.openSession(w, who)
	}
	w.Header().Set("X-User-Id", who.account.id)
	if !s.passesCSRF(r, f, who.session) {
		refuseCSRF(w)
		return identity{}, false
	}
	return who, true
}

// passesCORS tells whether the CORS middleware lets a request keep the way it was authenticated in.
func (s *Server) passesCORS(r *http.Request) bool {
	return s.rules.bearerOnCORS && csrfPasses(r, s.session(r))
}

// passesCSRF applies the CSRF rules of a family to somebody who is signed in.
func (s *Server) passesCSRF(r *http.Request, f family, one *session) bool {
	switch f {
	case familyOCS, familyOCSPublic:
		return ocsPasses(r, one)
	case familyApp:
		return csrfPasses(r, one)
	case familyWeb:
		return r.Method == http.MethodGet || r.Method == http.MethodHead || csrfPasses(r, one)
	default:
		return true
	}
}

// ocsPasses is the CSRF rule of OCS: a bearer token needs no header.
func ocsPasses(r *http.Request, one *session) bool {
	_, bearer := bearerToken(r)
	return bearer || csrfPasses(r, one)
}

// csrfPasses wants OCS-APIRequest or the requesttoken of the session.
func csrfPasses(r *http.Request, one *session) bool {
	if ocsHeader(r) {
		return true
	}
	if one == nil {
		return false
	}
	token := r.Header.Get("Requesttoken")
	if token == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		token = r.PostFormValue("requesttoken")
	}
	return same(one.csrf, token)
}

// refuseCredentials answers to bad ones, in the words of each family.
func refuseCredentials(w http.ResponseWriter, r *http.Request, f family, no refusal) {
	switch f {
	case familyOCS, familyOCSPublic:
		if no == tooManyAttempts {
			writeOCSFailure(w, r, http.StatusTooManyRequests, "Reached maximum delay")
			return
		}
		scheme := "Basic"
		if xhr(r) {
			scheme = "DummyBasic"
		}
		w.Header().Set("WWW-Authenticate", scheme+` realm="Authorisation Required"`)
		writeOCSFailure(w, r, ocsUnauthorised, "Unauthorised")
	case familyDAV:
		switch no {
		case tooManyAttempts:
			writeXMLText(w, http.StatusTooManyRequests, davThrottled)
		case accountDisabled:
			writeSabre(w, http.StatusServiceUnavailable, `Sabre\DAV\Exception\ServiceUnavailable`, `OC\User\DisabledUserException: Account disabled`)
		default:
			refuseDAV(w, r)
		}
	default:
		switch {
		case no == tooManyAttempts:
			writePage(w, http.StatusTooManyRequests, "Too many requests", "There were too many requests from your network. Retry later or contact your administrator if this is an error.")
		case strings.Contains(strings.ToLower(r.Header.Get("Accept")), "html"):
			writePage(w, http.StatusUnauthorized, "Unauthorized", "Wrong login or password.")
		default:
			writeJSON(w, http.StatusUnauthorized, map[string]string{"message": ""})
		}
	}
}

// refuseNobody answers to requests without credentials that count.
func (s *Server) refuseNobody(w http.ResponseWriter, r *http.Request, f family) {
	switch f {
	case familyOCSPublic:
		refuseCSRF(w)
	case familyOCS:
		writeOCSFailure(w, r, ocsUnauthorised, "Current user is not logged in")
	case familyDAV:
		refuseDAV(w, r)
	case familyCORS:
		message := "Current user is not logged in"
		if !s.passesCORS(r) {
			message = "CORS requires basic auth"
		}
		writeJSON(w, http.StatusUnauthorized, map[string]string{"message": message})
	default:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			writeJSON(w, http.StatusUnauthorized, map[string]string{"message": "Current user is not logged in"})
			return
		}
		redirect(w, "/login?redirect_url="+url.QueryEscape(r.URL.RequestURI()))
	}
}

func refuseCSRF(w http.ResponseWriter) {
	writeJSON(w, http.StatusPreconditionFailed, map[string]string{"message": "CSRF check failed"})
}

func xhr(r *http.Request) bool { return r.Header.Get("X-Requested-With") == "XMLHttpRequest" }

// What each of Nextcloud's DAV authentication back ends says, in their order.
//
//nolint:gosec // messages about credentials are none
const (
	davBasicMissing  = "No 'Authorization: Basic' header found. Either the client didn't send one, or the server is misconfigured"
	davBearerMissing = "No 'Authorization: Bearer' header found. Either the client didn't send one, or the server is mis-configured"
	davBasicRefused  = "Username or password was incorrect"
	davBearerRefused = "Bearer token was incorrect"
	davOthers        = "No public access to this resource., AppAPIAuth has not passed, This request is not for a federated calendar, "

	davThrottled = `<?xml version="1.0" encoding="utf-8"?>
<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:o="http://owncloud.org/ns">
  <s:exception>OCA\DAV\Connector\Sabre\Exception\TooManyRequests</s:exception>
  <s:message/>
  <o:hint xmlns:o="o:">too many requests</o:hint>
</d:error>
`
)

func refuseDAV(w http.ResponseWriter, r *http.Request) {
	const exception = `Sabre\DAV\Exception\NotAuthenticated`
	if xhr(r) {
		w.Header().Set("WWW-Authenticate", `DummyBasic realm="Nextcloud"`)
		writeSabre(w, http.StatusUnauthorized, exception, "Cannot authenticate over ajax calls")
		return
	}
	basic, bearer := davBasicMissing, davBearerMissing
	if _, _, ok := r.BasicAuth(); ok {
		basic = davBasicRefused
	}
	if _, ok := bearerToken(r); ok {
		bearer = davBearerRefused
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Nextcloud", charset="UTF-8"`)
	writeSabre(w, http.StatusUnauthorized, exception, davOthers+basic+", "+bearer+", "+basic)
}

// writeSabre sends an error document of the DAV server.
func writeSabre(w http.ResponseWriter, status int, exception, message string) {
	writeDAVFailure(w, &davFailure{status: status, exception: exception, message: message})
}

func writeXMLText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(status)
	writeString(w, text)
}
