package files

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
)

// sink is a Nextcloud that takes uploads and keeps nothing of them.
func sink(tb testing.TB, taken *atomic.Int64) *Client {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case "PROPFIND":
			w.WriteHeader(http.StatusNotFound)
		case http.MethodPut:
			n, _ := io.Copy(io.Discard, r.Body)
			taken.Add(n)
			w.WriteHeader(http.StatusCreated)
		default:
			w.WriteHeader(http.StatusCreated)
		}
	}))
	tb.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	return New(nextcloud.New(nextcloud.NewHost(u, nil), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func zeroSource(size int64) Source {
	return Source{Size: size, Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size-offset)), nil
	}}
}

// Memory does not grow with the size of an upload.
func TestUploadMemory(t *testing.T) {
	var taken atomic.Int64
	c := sink(t, &taken)
	most := func(size int64) uint64 {
		t.Helper()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		taken.Store(0)
		if _, err := c.Upload(t.Context(), "/big.bin", zeroSource(size), nil); err != nil {
			t.Fatal(err)
		}
		if taken.Load() != size {
			t.Errorf("%d of %d bytes", taken.Load(), size)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := most(64<<20), most(256<<20)
	// All that was ever allocated, not only what was held: 24 more parts may
	// cost some buffers, and no part of their own.
	if large > small+12<<20 || small > 32<<20 {
		t.Errorf("64 MiB allocate %d bytes, 256 MiB %d", small, large)
	}
}

// BenchmarkUpload2GiB reports the largest resident memory of the whole process,
// with the server that takes the upload.
func BenchmarkUpload2GiB(b *testing.B) {
	var taken atomic.Int64
	c := sink(b, &taken)
	const size = 2 << 30
	b.SetBytes(size)
	for b.Loop() {
		if _, err := c.Upload(b.Context(), "/big.bin", zeroSource(size), nil); err != nil {
			b.Fatal(err)
		}
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(status)) {
			var kib float64
			if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
				b.ReportMetric(kib/1024, "MiB-RSS")
			}
		}
	}
}
