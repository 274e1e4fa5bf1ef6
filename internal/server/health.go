package server

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Check is one line of the readiness report.
type Check struct {
	Status string `json:"status"` // ok, waiting, problem
	Detail string `json:"detail,omitempty"`
	// Data is what else is known, such as the data leg's ways; may be nil.
	Data any `json:"data,omitempty"`
}

// Health is how the process is.
type Health struct {
	Mode string // "oauth" or "basic"
	// Ready reports each dependency, and whether the process can serve.
	Ready func() (ready bool, checks map[string]Check)
}

// routes mounts the health paths and answers which requests are theirs.
func (h Health) routes(mux *http.ServeMux) func(*http.Request) bool {
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "alive", "mode": h.Mode})
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		status, word := http.StatusOK, "ready"
		ready, checks := h.Ready()
		if !ready {
			status, word = http.StatusServiceUnavailable, "not_ready"
			w.Header().Set("Retry-After", "5")
		}
		writeJSON(w, status, struct {
			Status string           `json:"status"`
			Mode   string           `json:"mode"`
			Checks map[string]Check `json:"checks"`
		}{word, h.Mode, checks})
	})
	return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/health/") }
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
