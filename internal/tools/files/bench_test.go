package files

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// BenchmarkList10000 lists the first page of a folder of 10,000 entries, and
// reports its time in times of the raw DAV answer.
func BenchmarkList10000(b *testing.B) {
	sim := nextcloudtest.New(nil)
	for i := range 10_000 {
		sim.AddFile("alice", fmt.Sprintf("Big/file %05d.txt", i), []byte("x"))
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	files := api.New(nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Basic{LoginName: "alice", Password: auth.Secret("alice-password-1")},
		&nextcloud.ClientOptions{UserID: "alice"}))
	raw := func() time.Duration {
		const props = `<d:getetag/><d:getcontenttype/><d:getlastmodified/><d:resourcetype/><oc:fileid/><oc:size/><oc:permissions/><oc:favorite/>`
		req, err := http.NewRequestWithContext(b.Context(), "PROPFIND", server.URL+"/remote.php/dav/files/alice/Big",
			strings.NewReader(`<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>`+props+`</d:prop></d:propfind>`))
		if err != nil {
			b.Fatal(err)
		}
		req.SetBasicAuth("alice", "alice-password-1")
		req.Header.Set("Depth", "1")
		start := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer res.Body.Close()
		n, err := io.Copy(io.Discard, res.Body)
		if err != nil || n < 1<<20 {
			b.Fatal(n, err)
		}
		return time.Since(start)
	}
	var bare, listed time.Duration
	for b.Loop() {
		bare += raw()
		start := time.Now()
		l, err := files.List(b.Context(), "/Big", api.ListQuery{})
		if err != nil || len(l.Entries) != 100 || l.Files != 10_000 || l.Next == "" {
			b.Fatal(err)
		}
		listed += time.Since(start)
	}
	b.ReportMetric(float64(listed)/float64(bare), "x-raw")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-heap")
}
