package nextcloud

import (
	"errors"
	"net/http"
	"path"
	"strings"
	"testing"
)

func TestPath(t *testing.T) {
	for _, c := range []struct {
		segments []string
		want     string // empty for a refusal
	}{
		{nil, "/dav"},
		{[]string{"alice", "a b.md"}, "/dav/alice/a%20b.md"},
		{[]string{"50%", "?#&", "ü"}, "/dav/50%25/%3F%23&/%C3%BC"},
		{[]string{"%2e%2e"}, "/dav/%252e%252e"},
		{[]string{"..."}, "/dav/..."},
		{[]string{".."}, ""},
		{[]string{"."}, ""},
		{[]string{""}, ""},
		{[]string{"a/b"}, ""},
		{[]string{`a\b`}, ""},
		{[]string{"a\nb"}, ""},
		{[]string{"a\x00"}, ""},
		{[]string{"\x7f"}, ""},
		{[]string{"\xff"}, ""},
	} {
		got, err := Path("/dav/", c.segments...)
		if got != c.want || (c.want == "") != errors.Is(err, ErrInvalid) {
			t.Errorf("%q = %q, %v; want %q", c.segments, got, err, c.want)
		}
	}
	for in, want := range map[string]string{"": "/dav", "/a//b/": "/dav/a/b", "a/../b": "", "..": ""} {
		got, err := PathTree("/dav", in)
		if got != want || (want == "") != errors.Is(err, ErrInvalid) {
			t.Errorf("tree %q = %q, %v; want %q", in, got, err, want)
		}
	}
}

// FuzzPath: no segment leads out of the prefix, splits in two or vanishes,
// neither for us nor for a server that cleans and decodes what it got.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"a", "..", "%2e%2e", "a/../../b", `..\..`, "a?b#c", "ü", "//evil.example", "a\x00b", "http://x", "%", ":", "@"} {
		f.Add(s, "b")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		const prefix = "/remote.php/dav/files"
		joined, err := Path(prefix, one, two)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		var sent *http.Request
		client := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
			sent = r
			return answer(r, 200, ""), nil
		}), basic(), nil)
		if _, err := client.Do(t.Context(), Request{Op: "try", Path: joined}); err != nil {
			t.Fatal(err)
		}
		if sent.URL.Host != "cloud.example" || sent.URL.RawQuery != "" || sent.URL.Fragment != "" {
			t.Errorf("%q, %q went to %s", one, two, sent.URL)
		}
		want := "/nc" + prefix + "/" + one + "/" + two
		if got := sent.URL.Path; got != want || path.Clean(got) != want {
			t.Errorf("%q, %q became %q", one, two, got)
		}
		if got := sent.URL.EscapedPath(); got != "/nc"+joined || strings.Count(got, "/") != 6 {
			t.Errorf("%q, %q was sent as %q", one, two, got)
		}
	})
}
