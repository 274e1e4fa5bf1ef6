package safehttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/safehttp"
)

func TestOpen(t *testing.T) {
	var seen http.Header
	h := newHost(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		switch r.URL.Path {
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "start")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/long":
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, strings.Repeat("x", 101))
		case "/said":
			w.Header().Set("Content-Length", "101")
		default:
			_, _ = io.WriteString(w, strings.Repeat("x", 100))
		}
	})
	c := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: h.roots(), Resolver: &names{answers: [][]string{{"127.0.0.1"}}}, MaxBody: 100})
	for path, want := range map[string]error{"/": nil, "/cut": safehttp.ErrUnreachable, "/long": safehttp.ErrTooLarge} {
		s, err := c.Open(t.Context(), "https://example.com:"+h.port+path, http.Header{"Range": {"bytes=0-"}})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		data, err := io.ReadAll(s.Body)
		if !errors.Is(err, want) || (err != nil) != (want != nil) || want == nil && len(data) != 100 {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
		if err := s.Body.Close(); err != nil {
			t.Error(err)
		}
		if seen.Get("Range") != "bytes=0-" || seen.Get("User-Agent") != "nextcloud-mcp-server" {
			t.Errorf("sent %v", seen)
		}
	}
	if _, err := c.Open(t.Context(), "https://example.com:"+h.port+"/said", nil); !errors.Is(err, safehttp.ErrTooLarge) {
		t.Errorf("a body that is too large: %v", err)
	}
	inner := safehttp.New(safehttp.Options{Resolver: &names{answers: [][]string{{"127.0.0.1"}}}, Allow: []netip.Prefix{}})
	for _, address := range []string{"https://example.com/", "http://example.com/", "ftp://example.com/"} {
		if _, err := inner.Open(t.Context(), address, nil); !errors.Is(err, safehttp.ErrForbiddenAddress) && !errors.Is(err, safehttp.ErrBadURL) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
