package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/oauth/clients"
)

// The error codes of RFC 6749 (4.1.2.1, 5.2), RFC 8707 (2) and OpenID Connect
// Core (3.1.2.6).
const (
	codeInvalidRequest          = "invalid_request"
	codeInvalidClient           = "invalid_client"
	codeInvalidGrant            = "invalid_grant"
	codeInvalidScope            = "invalid_scope"
	codeInvalidTarget           = "invalid_target"
	codeAccessDenied            = "access_denied"
	codeUnsupportedResponseType = "unsupported_response_type"
	codeUnsupportedGrantType    = "unsupported_grant_type"
	codeInteractionRequired     = "interaction_required"
	codeRequestNotSupported     = "request_not_supported"
	codeRequestURINotSupported  = "request_uri_not_supported"
	codeUnavailable             = "temporarily_unavailable"
	codeSlowDown                = "slow_down"
)

// refusal is an answer that says no, in the words of OAuth. Both parts are
// meant for the client, and keep to the characters of RFC 6749, 5.2.
type refusal struct {
	code        string
	description string
}

func (r *refusal) Error() string { return r.code + ": " + r.description }

func refuse(code, description string) *refusal { return &refusal{code, description} }

// retryLater is how long a client should wait when the store does not answer.
const retryLater = 5 * time.Second

// fail answers err at an endpoint that speaks JSON (RFC 6749, 5.2). What is no
// refusal is a failure of ours: it is logged, and the client may try again.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, op string, err error) {
	var no *refusal
	switch {
	case errors.As(err, &no):
		writeError(w, http.StatusBadRequest, no.code, no.description)
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		// The client is gone.
	default:
		s.cfg.Log.ErrorContext(r.Context(), "OAuth request failed", "op", op, "error", err)
		w.Header().Set("Retry-After", seconds(retryLater))
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "This server cannot answer now. Try again later.")
	}
}

// failClient answers a client that was not proven.
func (s *Server) failClient(w http.ResponseWriter, r *http.Request, op string, err error) {
	var p *clients.Problem
	if !errors.As(err, &p) {
		s.fail(w, r, op, err)
		return
	}
	if errors.Is(p, clients.ErrUnavailable) {
		w.Header().Set("Retry-After", seconds(retryLater))
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, plain(p.Detail))
		return
	}
	if errors.Is(p, clients.ErrAmbiguous) {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, plain(p.Detail))
		return
	}
	status := http.StatusBadRequest
	if r.Header.Get("Authorization") != "" {
		// RFC 6749, 5.2: a client that used the header is told by 401.
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="OAuth"`)
	}
	writeError(w, status, codeInvalidClient, plain(p.Detail))
}

// writeError is the answer of RFC 6749, 5.2.
func writeError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{code, description})
}

// writeJSON answers what nobody may keep (RFC 6749, 5.1).
func writeJSON(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone needs no answer
}

// plain leaves of a sentence what an error_description may hold (RFC 6749,
// 5.2): printable ASCII without quotes and backslashes.
func plain(sentence string) string {
	out := make([]byte, 0, len(sentence))
	for _, c := range []byte(sentence) {
		switch {
		case c == '"':
			out = append(out, '\'')
		case c >= 0x20 && c <= 0x7e && c != '\\':
			out = append(out, c)
		}
	}
	return string(out)
}

// seconds is a waiting time as Retry-After says it, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
