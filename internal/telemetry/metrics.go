package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what the process does, in the form Prometheus reads. Labels
// never hold people's names, arguments or content.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	tools    *prometheus.CounterVec
	toolTime *prometheus.HistogramVec
}

// NewMetrics makes the counters in a registry of their own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mcp_http_requests_total", Help: "Requests to the MCP endpoint by HTTP method and status.",
		}, []string{"method", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mcp_http_request_duration_seconds", Help: "Time from request to the end of the answer, streams included.",
			Buckets: prometheus.DefBuckets,
		}, []string{"method"}),
		tools: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mcp_tool_calls_total", Help: "Finished tool calls by tool and outcome.",
		}, []string{"tool", "outcome"}),
		toolTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mcp_tool_call_duration_seconds", Help: "Time of a tool call, Nextcloud included.",
			Buckets: prometheus.DefBuckets,
		}, []string{"tool"}),
	}
	m.registry.MustRegister(m.requests, m.latency, m.tools, m.toolTime,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request notes an answered request to the MCP endpoint.
func (m *Metrics) Request(method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // the label must stay bounded
	}
	m.requests.WithLabelValues(method, strconv.Itoa(status)).Inc()
	m.latency.WithLabelValues(method).Observe(took.Seconds())
}

// ToolCall notes a finished tool call.
func (m *Metrics) ToolCall(tool, outcome string, took time.Duration) {
	m.tools.WithLabelValues(tool, outcome).Inc()
	m.toolTime.WithLabelValues(tool).Observe(took.Seconds())
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}
