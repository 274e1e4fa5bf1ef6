package nextcloudtest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReplayWebDAV: the simulator answers what a real Nextcloud 34 answered about files.
func TestReplayWebDAV(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 25, 46, 0, time.UTC)
	s := New(&Options{Now: func() time.Time { return now }, BaseURL: recordedBase})
	at := func(second int) { now = time.Date(2026, 11, 23, 3, 25, second, 0, time.UTC) }
	const rec = "/remote.php/dav/files/alice/rec/"
	// What the recorder did between the recordings took ids too: versions, trash, previews.
	id := func(last int) { s.files.lastID = last }
	// It also took the last line break from bodies.
	body := func(r *http.Request, text string) { r.Body = io.NopCloser(strings.NewReader(text)) }
	id(147)
	s.AddTag("alice", "rigtag1795404306")
	s.files.comments = 68
	p := exactReplay{
		server: s,
		before: map[string]func(*http.Request){
			"05-put-new-201": func(r *http.Request) { body(r, "Hello World\n") },
			"06-put-update-same-second-SAME-etag-204": func(r *http.Request) { body(r, "Hello World 1b\n") },
			"07-put-update-204":                       func(r *http.Request) { at(47); body(r, "Hello World 2\n") },
			"10-put-if-match-ok-204":                  func(r *http.Request) { body(r, "Hello World 3\n") },
			"12-put-if-none-match-star-201":           func(*http.Request) { at(48); id(152) },
			"16-put-utf8-name":                        func(r *http.Request) { body(r, "# Grüße\n") },
			"38-copy-201":                             func(*http.Request) { at(49) },
			"40-copy-overwrite-t-204":                 func(*http.Request) { id(164) },
			"53-chunk-mkcol-201":                      func(*http.Request) { at(50) },
			"54-chunk-put-1":                          func(r *http.Request) { body(r, strings.Repeat("\x00", 5242880)) },
			"57-chunk-move-assemble-201":              func(*http.Request) { id(170) },
			"67-bulk-upload": func(r *http.Request) {
				at(51)
				id(177)
				body(r, "--rigboundary\r\nX-File-Path: /rec/bulk1.txt\r\nX-File-Md5: "+md5Hex("bulk")+"\r\nContent-Length: 4\r\n\r\nbulk\r\n--rigboundary--\r\n")
			},
			"72-versions-list": func(*http.Request) {
				at(53)
				mustCall(t, s, 204, "alice", "PUT", rec+"hello.txt", "after unlock\n")
			},
			"90-delete-if-match-ok-204": func(*http.Request) { at(54) },
			"93-trash-delete-item-204":  func(*http.Request) { mustCall(t, s, 204, "alice", "DELETE", rec+"mtime.txt", "") },
			"94-preview-png": func(*http.Request) {
				id(181)
				mustCall(t, s, 201, "alice", "PUT", rec+"pixel.png", "x")
			},
		},
		masks: []*regexp.Regexp{
			hexName,
			regexp.MustCompile(`6b03b2[0-9a-f]{7}`), // what changes at every moment
			regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`),
			regexp.MustCompile(`direct\\/[A-Za-z0-9]{60}`),
		},
		maskHeaders: true,
		differences: map[string]string{
			"34-propfind-bad-xml-400": "the words of libxml about a broken document",
			"72-versions-list":        "one version that two writes of one second left has no author",
		},
	}
	p.run(t, "webdav")
}

// TestFolderOfTenThousand: a large folder is listed in one answer.
func TestFolderOfTenThousand(t *testing.T) {
	s := New(nil)
	for i := range 10_000 {
		s.AddFile("alice", fmt.Sprintf("many/file %d.txt", i), []byte("x"))
	}
	started := time.Now()
	answer := mustCall(t, s, 207, "alice", "PROPFIND", "/remote.php/dav/files/alice/many/", "", "Depth", "1")
	if n := strings.Count(answer, "<d:response>"); n != 10_001 {
		t.Errorf("%d responses", n)
	}
	t.Log(time.Since(started))
}
