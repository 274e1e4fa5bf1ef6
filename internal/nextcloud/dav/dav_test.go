package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
)

func read(tb testing.TB, file string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestParseMultistatus(t *testing.T) {
	ms, err := ParseMultistatus(read(t, "home.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(ms.Responses) != 7 {
		t.Fatalf("%d responses", len(ms.Responses))
	}
	r := ms.Responses[1]
	if r.Href != "/remote.php/dav/calendars/alice/personal/" || r.Prop(Name(NSDAV, "displayname")).String() != "Personal" {
		t.Errorf("response = %+v", r)
	}
	if r.Prop(Name(NSApple, "calendar-color")).String() != "#00679e" || r.Failed[Name(NSCalendarServer, "source")] != 404 || r.Prop(Name(NSCalendarServer, "source")) != nil {
		t.Errorf("properties = %v, failed = %v", r.Props, r.Failed)
	}
	if !r.Prop(Name(NSDAV, "resourcetype")).Has(Name(NSCalDAV, "calendar")) {
		t.Error("not a calendar")
	}
	if got := r.Prop(Name(NSCalDAV, "supported-calendar-component-set")).Children[0].Attr("name"); got != "VEVENT" {
		t.Errorf("component %q", got)
	}

	ms, err = ParseMultistatus(read(t, "query.xml"))
	if err != nil {
		t.Fatal(err)
	}
	data := ms.Responses[1].Prop(Name(NSCalDAV, "calendar-data"))
	if !strings.HasPrefix(data.Text, "BEGIN:VCALENDAR\nVERSION:2.0") || !strings.Contains(data.Text, "SUMMARY:Weekly (moved)") {
		t.Errorf("data = %q", data.Text)
	}
}

func TestParseMultistatusRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "text": "hello", "html": "<html><body>x</body></html>", "error": string(read(t, "error.xml")),
		"cut": string(read(t, "home.xml")[:900]), "deep": `<d:multistatus xmlns:d="DAV:">` + strings.Repeat("<d:x>", 100),
		"entity": `<!DOCTYPE x [<!ENTITY e "boom">]><d:multistatus xmlns:d="DAV:"><d:response><d:href>&e;</d:href></d:response></d:multistatus>`,
	} {
		if ms, err := ParseMultistatus([]byte(s)); err == nil {
			t.Errorf("%s: %+v", name, ms)
		}
	}
}

func TestEncode(t *testing.T) {
	hostile := `a</d:displayname><evil/>&"'` + "\x00"
	b, err := encode(El(Name(NSDAV, "prop"), Text(Name(NSDAV, "displayname"), hostile), El(Name(NSCalDAV, "comp")).With("name", hostile)))
	if err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(bytes.NewReader(b))
	tok, err := dec.Token()
	for _, ok := tok.(xml.StartElement); err == nil && !ok; _, ok = tok.(xml.StartElement) {
		tok, err = dec.Token()
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := readNode(dec, tok.(xml.StartElement))
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	want := strings.ReplaceAll(hostile, "\x00", "\uFFFD")
	if len(n.Children) != 2 || n.Children[0].Text != want || n.Children[1].Attr("name") != want || n.Children[1].Name != Name(NSCalDAV, "comp") {
		t.Errorf("%s", b)
	}
}

func TestLocal(t *testing.T) {
	base, err := url.Parse("https://cloud.example/nc")
	if err != nil {
		t.Fatal(err)
	}
	for href, want := range map[string]string{
		"/nc/remote.php/dav/calendars/a/b/":                     "/remote.php/dav/calendars/a/b/",
		"https://cloud.example/nc/remote.php/dav/x%20y%2Fz":     "/remote.php/dav/x%20y%2Fz",
		"/remote.php/dav/calendars/a/":                          "",
		"https://evil.example/nc/remote.php/dav/calendars/a/":   "",
		"/nc/remote.php/dav/calendars/../../../ocs/v2.php":      "",
		"/nc/remote.php/dav/calendars/%2e%2e/%2e%2e/ocs/v2.php": "",
		"/nc/remote.php/davother/x":                             "",
		"mailto:x":                                              "",
		"":                                                      "",
		"/nc/index.php/apps/notes":                              "",
		"//evil.example/nc/remote.php/dav/x":                    "",
	} {
		got, err := local(base, href)
		if got != want || (want == "") != (err != nil) {
			t.Errorf("%q = %q, %v", href, got, err)
		}
	}
	for href, want := range map[string]string{"/a/b%20c/": "b c", "/a/b": "b", "": "", "/": "", "x": "x", "/a/%zz": ""} {
		if got := Base(href); got != want {
			t.Errorf("Base(%q) = %q, want %q", href, got, want)
		}
	}
}

// client talks to a handler.
func client(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return New(nextcloud.New(nextcloud.NewHost(u, nil), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
}

func TestRequests(t *testing.T) {
	type seen struct{ Method, Path, Depth, Match, None, To, Over, Type, Body, If string }
	var got seen
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.URL.EscapedPath(), r.Header.Get("Depth"), r.Header.Get("If-Match"), r.Header.Get("If-None-Match"), r.Header.Get("Destination"), r.Header.Get("Overwrite"), r.Header.Get("Content-Type"), string(b), r.Header.Get("If")}
		w.Header().Set("ETag", `"new"`)
		if r.Method == "PROPFIND" || r.Method == "REPORT" || r.Method == "PROPPATCH" {
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = w.Write(read(t, "proppatch.xml"))
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	ctx := t.Context()
	base := c.nc.Host().Base().String()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(w seen) {
		t.Helper()
		body := got.Body
		got.Body, got.Type = "", ""
		if d := cmp.Diff(w, got); d != "" {
			t.Error(d)
		}
		got.Body = body
	}
	q := Query{Op: "test", Path: "/remote.php/dav/a%20b"}
	_, err := c.Propfind(ctx, Query{Path: q.Path, Depth: Children}, Name(NSDAV, "getetag"))
	must(err)
	want(seen{Method: "PROPFIND", Path: q.Path, Depth: "1"})
	_, err = c.Report(ctx, q, El(Name(NSCalDAV, "calendar-query")))
	must(err)
	want(seen{Method: "REPORT", Path: q.Path, Depth: "0"})
	must(c.Proppatch(ctx, q, []Element{Text(Name(NSDAV, "displayname"), "x & y")}, Name(NSApple, "calendar-color")))
	if !strings.Contains(got.Body, "x &amp; y") || !strings.Contains(got.Body, "remove") {
		t.Errorf("body = %s", got.Body)
	}
	etag, err := c.Put(ctx, q, "text/calendar", []byte("x"), Condition{Absent: true})
	must(err)
	if etag != "new" {
		t.Errorf("etag = %q", etag)
	}
	want(seen{Method: "PUT", Path: q.Path, None: "*"})
	_, err = c.Put(ctx, q, "text/calendar", []byte("x"), Condition{ETag: `old`})
	must(err)
	want(seen{Method: "PUT", Path: q.Path, Match: `"old"`})
	must(c.Delete(ctx, q, Condition{ETag: `W/"old"`}))
	want(seen{Method: "DELETE", Path: q.Path, Match: `"old"`})
	must(c.Move(ctx, q, "/remote.php/dav/c", Keep))
	want(seen{Method: "MOVE", Path: q.Path, To: base + "/remote.php/dav/c", Over: "F"})
	must(c.Move(ctx, q, "/remote.php/dav/c", Unsaid))
	want(seen{Method: "MOVE", Path: q.Path, To: base + "/remote.php/dav/c"})
	must(c.Copy(ctx, q, "/remote.php/dav/c", Replace))
	want(seen{Method: "COPY", Path: q.Path, To: base + "/remote.php/dav/c", Over: "T"})
	_, err = c.Transfer(ctx, "MOVE", q, "/remote.php/dav/c", Target{Overwrite: Replace, ETag: "old"})
	must(err)
	want(seen{Method: "MOVE", Path: q.Path, To: base + "/remote.php/dav/c", Over: "T", If: "<" + base + `/remote.php/dav/c> (["old"])`})
	must(c.Mkcalendar(ctx, q, Text(Name(NSDAV, "displayname"), "x")))
	want(seen{Method: "MKCALENDAR", Path: q.Path})
	must(c.Mkcol(ctx, q))
	want(seen{Method: "MKCOL", Path: q.Path})
}

func TestErrors(t *testing.T) {
	status, body := http.StatusMultiStatus, ""
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	body = "<html>sign in</html>"
	if _, err := c.Propfind(t.Context(), Query{}); !errors.Is(err, nextcloud.ErrBadAnswer) {
		t.Errorf("a web page: %v", err)
	}
	body = `<d:multistatus xmlns:d="DAV:"><d:response><d:href>/x</d:href><d:propstat><d:prop><d:a/></d:prop><d:status>HTTP/1.1 424 Failed Dependency</d:status></d:propstat><d:propstat><d:prop><d:b/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response></d:multistatus>`
	if err := c.Proppatch(t.Context(), Query{}, nil, Name(NSDAV, "b")); !errors.Is(err, nextcloud.ErrForbidden) || !strings.Contains(err.Error(), "property b") {
		t.Errorf("a refused property: %v", err)
	}
	status, body = http.StatusMethodNotAllowed, string(read(t, "error.xml"))
	err := c.Mkcalendar(t.Context(), Query{Op: "make"})
	var e *nextcloud.Error
	if !errors.As(err, &e) || !errors.Is(err, nextcloud.ErrConflict) || e.Exception != `Sabre\DAV\Exception\MethodNotAllowed` || e.Message == "" {
		t.Errorf("exists: %+v", err)
	}
}

func FuzzMultistatus(f *testing.F) {
	for _, file := range []string{"home.xml", "query.xml", "proppatch.xml", "error.xml"} {
		f.Add(read(f, file))
	}
	f.Add(read(f, "home.xml")[:900])
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><d:multistatus xmlns:d="DAV:"><d:response><d:href>&b;</d:href></d:response></d:multistatus>`))
	f.Add([]byte(`<d:multistatus xmlns:d="DAV:">` + strings.Repeat("<d:response>", 100)))
	f.Add([]byte(`<d:multistatus xmlns:d="DAV:"><d:response>` + strings.Repeat("<d:x/>", maxNodes+1) + `</d:response></d:multistatus>`))
	f.Add([]byte(`<d:multistatus xmlns:d="DAV:"><d:response><d:status>HTTP/1.1 9999</d:status><d:propstat/></d:response><d:sync-token>x</d:sync-token></d:multistatus>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ms, err := ParseMultistatus(data)
		if err != nil {
			return
		}
		for _, r := range ms.Responses {
			if r.Status != 0 && (r.Status < 100 || r.Status > 599) {
				t.Errorf("status %d", r.Status)
			}
			base := &url.URL{Scheme: "https", Host: "h"}
			if p, err := local(base, r.Href); err == nil {
				if u, err := url.Parse(p); err != nil || !strings.HasPrefix(p, Root+"/") || strings.Contains("/"+u.Path+"/", "/../") {
					t.Errorf("%q became %q", r.Href, p)
				}
			}
			for name, n := range r.Props {
				if n == nil || n.Name != name {
					t.Errorf("property %v is %v", name, n)
				}
			}
		}
	})
}
