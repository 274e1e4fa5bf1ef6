package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// BenchmarkLargeCalendar lists the first page of a calendar of 10,000 events.
// raw is the time of the same answer of the server without a client that
// reads it; of-raw what the whole costs in relation to it, which shall be at
// most 2.
func BenchmarkLargeCalendar(b *testing.B) {
	const events = 10_000
	alice := nextcloudtest.DefaultUsers()[0]
	server := nextcloudtest.New(nil)
	put := func(path, body string) int {
		r := httptest.NewRequest(http.MethodPut, path, strings.NewReader(body))
		r.SetBasicAuth(alice.ID, alice.Password)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Code
	}
	const path = "/remote.php/dav/calendars/alice/personal/"
	start := time.Date(2027, 1, 1, 8, 0, 0, 0, time.UTC)
	for i := range events {
		at := start.Add(time.Duration(i) * 50 * time.Minute)
		code := put(fmt.Sprintf("%s%d.ics", path, i), fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:%d\r\nDTSTAMP:20270101T000000Z\r\n"+
			"DTSTART:%s\r\nDURATION:PT30M\r\nSUMMARY:Event %d\r\nLOCATION:Room %d\r\nDESCRIPTION:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
			i, at.Format("20060102T150405Z"), i, i%7, strings.Repeat("text ", 20)))
		if code != http.StatusCreated {
			b.Fatal(code)
		}
	}
	web := httptest.NewServer(server)
	defer web.Close()
	client := calendar.New(env(b, web.URL, alice.ID, alice.Password).Client(b))
	query := calendar.Query{Calendar: "personal", Start: "2027-01-01", End: "2027-12-31", Limit: 50}
	if _, err := client.List(b.Context(), query); err != nil {
		b.Fatal(err)
	}
	const report = `<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name="VCALENDAR">` +
		`<c:comp-filter name="VEVENT"><c:time-range start="20261230T220000Z" end="20280102T020000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`
	raw := func() time.Duration {
		began := time.Now()
		r, err := http.NewRequestWithContext(b.Context(), "REPORT", web.URL+path, strings.NewReader(report))
		if err != nil {
			b.Fatal(err)
		}
		r.SetBasicAuth(alice.ID, alice.Password)
		r.Header.Set("Depth", "1")
		r.Header.Set("OCS-APIRequest", "true")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n < events*100 {
			b.Fatal(n, err)
		}
		return time.Since(began)
	}
	var server0, all time.Duration
	var before, after runtime.MemStats
	var peak uint64
	b.ReportAllocs()
	for b.Loop() {
		server0 += raw()
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		page, err := client.List(b.Context(), query)
		all += time.Since(began)
		if err != nil || len(page.Events) != 50 || page.TotalFound != events {
			b.Fatalf("%d of %d, %v", len(page.Events), page.TotalFound, err)
		}
		runtime.ReadMemStats(&after)
		peak = max(peak, after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))
	}
	b.ReportMetric(float64(server0.Milliseconds())/float64(b.N), "raw-ms")
	b.ReportMetric(float64(all)/float64(server0), "of-raw")
	b.ReportMetric(float64(peak)/(1<<20), "heap-MB")
}
