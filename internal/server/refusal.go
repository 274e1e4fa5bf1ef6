package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

// unavailable answers 503 or 429 with Retry-After, or whatever status the
// error says.
func unavailable(w http.ResponseWriter, e *auth.Error) {
	wait, status := e.RetryAfter, e.Status
	if wait <= 0 {
		wait = 5 * time.Second
	}
	if status < 400 {
		status = http.StatusServiceUnavailable
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	writeError(w, status, e.Code, e.Description)
}

// writeError is the body of a refusal: nothing that the caller must not know.
func writeError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body := struct {
		Error       string `json:"error,omitempty"`
		Description string `json:"error_description,omitempty"`
	}{code, description}
	_ = json.NewEncoder(w).Encode(body)
}
