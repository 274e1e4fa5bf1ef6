package files

import (
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	for _, c := range []struct {
		text, passage, with string
		all                 bool
		want, fails         string
	}{
		{"a b c", "b", "X", false, "a X c", ""},
		{"a b c", "b ", "", false, "a c", ""},
		{"a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", false, "x\r\ny\r\nz\r\nc\r\n", ""},
		{"a a", "a", "b", true, "b b", ""},
		{"a a", "a", "b", false, "", "is there 2 times, in lines 1, 1"},
		{"a\nb\na\n", "a\n", "b", false, "", "in lines 1, 3"},
		{"if  x {\n", "if x {", "y", false, "", "its first line looks like line 1"},
		{"a", "", "b", false, "", "is empty"},
		{"a", "b", "c", false, "", "is not in the text"},
	} {
		got, err := Replace(c.passage, c.with, c.all)(c.text)
		if got != c.want || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%q, %q = %q, %v", c.text, c.passage, got, err)
		}
	}
}

func TestPatch(t *testing.T) {
	const text = "one\ntwo\nthree\nfour\nfive\n"
	for name, c := range map[string]struct{ text, patch, want, fails string }{
		"plain":             {text, "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n", "one\n2\nthree\nfour\nfive\n", ""},
		"wrong lines":       {text, "@@ -40,3 +40,3 @@\n three\n-four\n+4\n five\n", "one\ntwo\nthree\n4\nfive\n", ""},
		"no numbers":        {text, "@@\n-four\n+4\n", "one\ntwo\nthree\n4\nfive\n", ""},
		"two hunks":         {text, "@@ -1 +1 @@\n-one\n+1\n@@ -5 +5 @@\n-five\n+5\n", "1\ntwo\nthree\nfour\n5\n", ""},
		"only new":          {text, "@@ -2,0 +3 @@\n+2b\n", "one\ntwo\n2b\nthree\nfour\nfive\n", ""},
		"at the end":        {text, "@@ -5 +5,2 @@\n five\n+six\n", text + "six\n", ""},
		"empty file":        {"", "@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n", ""},
		"other line ends":   {"a\r\nb\r\nc\n", "@@ -1,2 +1,2 @@\n a\n-b\n+B\n", "a\r\nB\r\nc\n", ""},
		"stripped space":    {"a\n\nb\n", "@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n", "a\n\nc\n", ""},
		"end without break": {"a\nb", "@@ -1,2 +1,3 @@\n a\n b\n+c\n", "a\nb\nc\n", ""},
		"take the break":    {"a\n", "@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n", "b", ""},
		"keep no break":     {"a\nb", "@@ -1 +1 @@\n-a\n+x\n", "x\nb", ""},
		"nearest":           {"x\na\nx\nb\nx\n", "@@ -3 +3 @@\n-x\n+y\n", "x\na\ny\nb\nx\n", ""},
		"as near":           {"x\nm\nx\n", "@@ -2 +2 @@\n-x\n+y\n", "", "in lines 1 and 3 alike"},
		"several places":    {"x\nx\n", "@@\n-x\n+y\n", "", "are there 2 times"},
		"does not fit":      {text, "@@ -1,2 +1,2 @@\n one\n-zwei\n+2\n", "", "its old lines are not in the text"},
		"order":             {text, "@@ -5 +5 @@\n-five\n+5\n@@ -1 +1 @@\n-one\n+1\n", "", "hunk 2 of the patch"},
		"two files":         {text, "--- a\n+++ b\n@@ -1 +1 @@\n-one\n+1\n--- c\n+++ d\n@@ -1 +1 @@\n-x\n+y\n", "", "several files"},
		"no diff":           {text, "replace one by two", "", "this is no unified diff"},
		"no change":         {text, "@@ -1 +1 @@\n one\n", "", "changes nothing"},
		"odd line":          {text, "@@ -1 +1 @@\n?x\n", "", "line 2 of the patch"},
		"odd start":         {text, "@@ -x +1 @@\n+x\n", "", "no start of a hunk"},
		"only new, nowhere": {text, "@@\n+x\n", "", "no old lines"},
	} {
		got, err := Patch(c.patch)(c.text)
		if got != c.want || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A patch changes nothing but what it says: text outside of its lines stays
// byte for byte, whatever its line ends.
func FuzzPatch(f *testing.F) {
	f.Add("a\r\nb\nc", "@@ -2 +2 @@\n-b\n+x\n")
	f.Add("", "@@ -0,0 +1 @@\n+x\n")
	f.Add("a\n\n\nb", "@@ @@\n a\n\n-b\n+c\n\\ No newline at end of file\n")
	f.Fuzz(func(t *testing.T, text, diff string) {
		got, err := Patch(diff)(text)
		if err != nil {
			return
		}
		removed, added := 0, 0
		for line := range strings.SplitSeq(diff, "\n") {
			if strings.HasPrefix(line, "-") {
				removed += len(line) + 1
			}
			if strings.HasPrefix(line, "+") || line == "" {
				added += len(line) + 2
			}
		}
		if len(got) < len(text)-removed-2*strings.Count(diff, "\n")-4 || len(got) > len(text)+2*added+len(diff)+4 {
			t.Errorf("%q with %q became %q", text, diff, got)
		}
	})
}

func FuzzCharset(f *testing.F) {
	for _, s := range []string{"plain", "grüße", "\xEF\xBB\xBFx", "\xFF\xFEa\x00b\x00", "\xFE\xFF\x00a\x00b", "a\x00b\x00c\x00", "caf\xe9", "\x00\x01", "\xFF\xFEa", "\xed\xa0\x80", "\xFF\xFE\x00\xd8"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		charset, text := Sniff(data)
		if !text {
			return
		}
		whole := charset.Decode(data, true)
		// Whatever can be encoded back is the same text.
		if back, err := charset.Encode(whole); err == nil {
			if again := charset.Decode(back, true); again != whole {
				t.Errorf("%q in %s became %q", whole, charset, again)
			}
		}
		// Two parts that are aligned are the whole.
		if at <= 0 || at >= len(data) || !strings.EqualFold(whole, strings.ToValidUTF8(whole, "")) || strings.ContainsRune(whole, '\uFFFD') {
			return
		}
		head, tail := charset.Align(data[:at], 0, true, false)
		first := charset.Decode(data[:at-tail], true)
		if head != 0 || len(first) > 0 && at-tail < len(charset.mark()) {
			return
		}
		second := charset.Decode(data[at-tail:], at == tail)
		if first+second != whole {
			t.Errorf("%q in %s is read as %q and %q", data, charset, first, second)
		}
	})
}
