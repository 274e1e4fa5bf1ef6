package dav

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestMend(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"plain\n text":              "plain\n text",
		"Köln 😀":                    "Köln 😀",
		"K\xc3\n \xb6ln":            "Köln",
		"K\xc3\r\n \xb6ln":          "Köln",
		"K\xc3&#13;\n\t\xb6ln":      "Köln",
		"\xf0\x9f\n \x98\x80!":      "😀!",
		"\xf0\n \x9f\x98\x80!":      "😀!",
		"\xf0\x9f\x98\n \x80":       "😀",
		"a\xffb":                    "a\uFFFDb",
		"K\xf6ln":                   "K\uFFFDln",
		"K\xc3\n ln":                "K\uFFFD\n ln",
		"end \xc3":                  "end \uFFFD",
		"\x80\xbf":                  "\uFFFD\uFFFD",
		"\xed\xa0\x80":              "\uFFFD\uFFFD\uFFFD", // half of a pair
		strings.Repeat("ä", 40_000): strings.Repeat("ä", 40_000),
	} {
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(in), "bytes": iotest.OneByteReader(strings.NewReader(in)), "end": iotest.DataErrReader(strings.NewReader(in)),
		} {
			got, err := io.ReadAll(mend(r))
			if err != nil || string(got) != want {
				t.Errorf("%s: %.40q is %.40q, %v, want %.40q", name, in, got, err, want)
			}
		}
	}
	if _, err := io.ReadAll(mend(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("Köln"))))); err == nil {
		t.Error("a failing reader is no end")
	}
}

func FuzzMend(f *testing.F) {
	f.Add("K\xc3\n \xb6ln", "\xf0\x9f")
	f.Fuzz(func(t *testing.T, a, b string) {
		whole, err := io.ReadAll(mend(strings.NewReader(a + b)))
		if err != nil || !utf8.Valid(whole) {
			t.Fatalf("%q, %v", whole, err)
		}
		parts, err := io.ReadAll(mend(io.MultiReader(strings.NewReader(a), strings.NewReader(b))))
		if err != nil || string(parts) != string(whole) {
			t.Fatalf("%q in parts, %q in one", parts, whole)
		}
		if utf8.ValidString(a+b) && string(whole) != a+b {
			t.Fatalf("%q became %q", a+b, whole)
		}
	})
}
