package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	m := NewMetrics()
	m.Request(http.MethodPost, 200, 20*time.Millisecond)
	m.Request("ATTACK-1", 405, time.Millisecond)
	m.Request("ATTACK-2", 405, time.Millisecond)
	m.ToolCall("nc_notes_get_note", "ok", time.Second)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := rec.Body.String()
	for _, want := range []string{
		`mcp_http_requests_total{method="POST",status="200"} 1`,
		`mcp_http_requests_total{method="other",status="405"} 2`,
		`mcp_tool_calls_total{outcome="ok",tool="nc_notes_get_note"} 1`,
		`mcp_tool_call_duration_seconds_count{tool="nc_notes_get_note"} 1`,
		"go_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(body, "ATTACK") {
		t.Error("a foreign method became a label")
	}
	rec = httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics: %d", rec.Code)
	}
}
