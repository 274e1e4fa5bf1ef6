package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"nextcloud-mcp-server/internal/tool"
)

func TestTiered(t *testing.T) {
	for _, c := range []struct {
		target, header string
		status         int
		want           string
	}{
		{"/mcp", "", 200, ""},
		{"/mcp?tier=complete", "", 200, "complete"},
		{"/mcp?tier=core", "complete", 200, "core"},
		{"/mcp", "extended", 200, "extended"},
		{"/mcp?tier=", "core", 200, ""},
		{"/mcp?tier=all", "", 400, ""},
		{"/mcp", "<script>", 400, ""},
	} {
		got := ""
		h := tiered(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get(tool.TierHeader) }))
		r := httptest.NewRequest(http.MethodPost, c.target, http.NoBody)
		if c.header != "" {
			r.Header.Set(tool.TierHeader, c.header)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || (w.Code == 200 && c.want != "" && got != c.want) {
			t.Errorf("%s with %q: %d, tier %q, want %d, %q", c.target, c.header, w.Code, got, c.status, c.want)
		}
	}
}
