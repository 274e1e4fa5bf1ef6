package files

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", "/": "/", "a": "/a", "/a//b/": "/a/b", "50%.md": "/50%.md", "a%20b": "/a%20b", "...": "/...", "ü/日本": "/ü/日本",
	} {
		if got, err := Clean(in); got != want || err != nil {
			t.Errorf("%q = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"..", "a/..", "../a", "./a", "a/./b", `a\b`, "a\x00", "a\nb", "\xff", "%2e%2e", "a/%2E%2E/b", "%252e%252e", "%25252e%25252e", "a%2fb", "a%5cb", "a%00", "a%0a", "%c0%ae",
		strings.Repeat("a", 4001),
	} {
		if got, err := Clean(in); err == nil {
			t.Errorf("%q = %q", in, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "%2e%2e/x", "%252e%252e", "a%00b", `..\x`, "ä\u202e", "a//b", "100%25", "%", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := Clean(name)
		if err != nil {
			return
		}
		if path.Clean(clean) != clean || clean[0] != '/' {
			t.Fatalf("%q became %q", name, clean)
		}
		// Whoever decodes it once more stays where it is.
		decoded := clean
		for range 3 {
			if next, err := url.PathUnescape(decoded); err == nil {
				decoded = next
			}
			if strings.Count(decoded, "/") != strings.Count(clean, "/") || strings.Contains(decoded+"/", "/../") || strings.ContainsRune(decoded, 0) {
				t.Fatalf("%q decodes to %q", clean, decoded)
			}
		}
		if again, err := Clean(clean); again != clean || err != nil {
			t.Fatalf("%q became %q, then %q, %v", name, clean, again, err)
		}
		_ = checkNew(clean)
	})
}

func TestPathOf(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "h", Path: "/nc"}
	const home = "/remote.php/dav/files/a%20b"
	for href, want := range map[string]string{
		"/nc/remote.php/dav/files/a%20b/":                "/",
		"/nc/remote.php/dav/files/a%20b":                 "/",
		"/nc/remote.php/dav/files/a%20b/x/y%20z/":        "/x/y z",
		"https://h/nc/remote.php/dav/files/a%20b/%c3%bc": "/ü",
		"/nc/remote.php/dav/files/a%20b/100%2525":        "/100%25",
		"https://evil/nc/remote.php/dav/files/a%20b/x":   "",
		"/nc/remote.php/dav/files/a%20bc/x":              "",
		"/nc/remote.php/dav/files/bob/x":                 "",
		"/nc/remote.php/dav/files/a%20b/../bob/x":        "",
		"/nc/remote.php/dav/files/a%20b/%2e%2e/x":        "",
		"/remote.php/dav/files/a%20b/x":                  "",
		"mailto:x":                                       "", "": "", "%": "",
	} {
		if got, ok := pathOf(home, href, base); got != want || ok != (want != "") {
			t.Errorf("%q = %q, %v", href, got, ok)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "x", true},
		{"*", "x", true},
		{"report", "My Report.txt", true},
		{"report", "rapport", false},
		{"*.txt", "a.txt", true},
		{"*.txt", "a.txt.md", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"%b%", "abc", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "aXcYb", false},
		{"Ü*", "über", true},
		{"a**c", "abc", true},
		{"*a", "ba", true},
		{"*a", "ab", false},
	} {
		g, err := pattern("search", c.pattern)
		if err != nil || g.fits(c.name) != c.want {
			t.Errorf("%q of %q: %v, %v", c.pattern, c.name, g.fits(c.name), err)
		}
	}
	g, err := pattern("search", strings.Repeat("*a", 100))
	if err != nil || g.fits(strings.Repeat("a", 99)+"b") {
		t.Error("a pattern with many stars")
	}
	for in, want := range map[string]string{"image": "image/%", "image/": "image/%", "image/*": "image/%", "text/plain": "text/plain", "*/pdf": "", "application/vnd*": "application/%", "": "", "*": ""} {
		if got := serverType(in); got != want {
			t.Errorf("type %q is %q", in, got)
		}
	}
}
