package dav

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"nextcloud-mcp-server/internal/nextcloud"
)

// folder writes a multistatus answer about n files, as Nextcloud does.
func folder(w io.Writer, n int) {
	_, _ = io.WriteString(w, `<?xml version="1.0"?>`+"\n"+`<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">`)
	for i := range n {
		_, _ = fmt.Fprintf(w, `<d:response><d:href>/remote.php/dav/files/alice/big/file%%20%d.txt</d:href><d:propstat><d:prop>`+
			`<d:getlastmodified>Mon, 23 Nov 2026 03:25:47 GMT</d:getlastmodified><d:getetag>&quot;23240c65b224fe3a58b4d45f8d093939&quot;</d:getetag>`+
			`<d:getcontenttype>text/plain</d:getcontenttype><d:resourcetype/><oc:fileid>%d</oc:fileid><oc:size>14</oc:size></d:prop>`+
			`<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`, i, i)
	}
	_, _ = io.WriteString(w, `</d:multistatus>`)
}

func TestEach(t *testing.T) {
	gone := make(chan error, 1)
	cutAt := 0
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusMultiStatus)
		switch {
		case cutAt > 0:
			var b bytes.Buffer
			folder(&b, 100)
			_, _ = w.Write(b.Bytes()[:cutAt])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case r.Method == "SEARCH":
			_, _ = io.WriteString(w, "<html>sign in</html>")
		default:
			folder(w, 12_000)
			gone <- r.Context().Err()
		}
	})
	n := 0
	for r, err := range c.PropfindEach(t.Context(), Query{Op: "list", Depth: Children}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("/remote.php/dav/files/alice/big/file%%20%d.txt", n); r.Href != want {
			t.Fatalf("%s, want %s", r.Href, want)
		}
		n++
	}
	if n != 12_000 {
		t.Errorf("%d responses", n)
	}
	<-gone
	for range c.PropfindEach(t.Context(), Query{Op: "list", Depth: Children}) {
		break
	}
	<-gone // the answer was given up, or nobody would read what the handler writes

	cutAt = 5000
	n = 0
	var last error
	for _, err := range c.PropfindEach(t.Context(), Query{Op: "list"}) {
		if last = err; err == nil {
			n++
		}
	}
	var e *nextcloud.Error
	if n == 0 || !errors.As(last, &e) || !errors.Is(last, nextcloud.ErrUnavailable) || !strings.Contains(last.Error(), "cut off") {
		t.Errorf("%d responses, then %v", n, last)
	}
	cutAt = 0
	for _, err := range c.SearchEach(t.Context(), Query{Op: "search"}, El(Name(NSDAV, "searchrequest"))) {
		if !errors.Is(err, nextcloud.ErrBadAnswer) {
			t.Errorf("a web page: %v", err)
		}
	}
	for _, err := range c.PropfindEach(t.Context(), Query{Op: "list", MaxBody: 10_000}) {
		last = err
	}
	if !errors.Is(last, nextcloud.ErrTooLarge) {
		t.Errorf("an endless answer: %v", last)
	}
}

func TestDecoderBounds(t *testing.T) {
	const head = `<d:multistatus xmlns:d="DAV:"><d:response>`
	d := NewDecoder(io.MultiReader(strings.NewReader(`<d:multistatus xmlns:d="DAV:"/>`), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if _, err := d.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut behind the document: %v", err)
	}
	for name, s := range map[string]string{
		"too many elements": head + strings.Repeat("<d:x/>", maxNodes) + `</d:response></d:multistatus>`,
		"cut in a response": head + `<d:href>/x</d:href>`,
		"cut after one":     head + `</d:response>`,
	} {
		d := NewDecoder(strings.NewReader(s))
		var err error
		for err == nil {
			_, err = d.Next()
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s: it seems whole", name)
		}
		if _, again := d.Next(); !errors.Is(again, err) {
			t.Errorf("%s: %v, then %v", name, err, again)
		}
	}
}

// A walk holds one response in memory, however many there are.
func TestDecoderMemory(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		folder(w, 20_000) // 10 MB
		_ = w.Close()
	}()
	d := NewDecoder(r)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	for n := 0; ; n++ {
		_, err := d.Next()
		if errors.Is(err, io.EOF) {
			if n != 20_000 {
				t.Errorf("%d responses", n)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%4000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	if most > before.HeapAlloc+2<<20 {
		t.Errorf("the heap grew by %d bytes", most-before.HeapAlloc)
	}
}

func BenchmarkDecoder(b *testing.B) {
	var doc bytes.Buffer
	folder(&doc, 10_000)
	b.SetBytes(int64(doc.Len()))
	b.ReportAllocs()
	for b.Loop() {
		d := NewDecoder(bytes.NewReader(doc.Bytes()))
		n := 0
		for {
			if _, err := d.Next(); err != nil {
				break
			}
			n++
		}
		if n != 10_000 {
			b.Fatal(n)
		}
	}
}
