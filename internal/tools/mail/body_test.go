package mail

import (
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		`<p>a<script>bad()</script><style>p{}</style></p>`:                                               "a",
		`<p>a <span style="DISPLAY : None !important">hidden</span>b</p>`:                                "a b",
		`<p>a<span style="font-size:1px">hidden</span></p>`:                                              "a",
		`<p>a<span style="font-size:0.9em">small</span></p>`:                                             "asmall",
		`<p>a<span style="opacity:0">hidden</span></p>`:                                                  "a",
		`<p>a</p><div style="position:absolute;left:-9999px">hidden</div>`:                               "a",
		`<p>a</p><div style="max-height:0;overflow:hidden">preheader</div>`:                              "a",
		`<p>a</p><div style="height:1px;overflow:hidden">hidden</div>`:                                   "a",
		`<p>a</p><div style="visibility:hidden">hidden</div><div hidden>hidden</div><!-- hidden -->`:     "a",
		`<p>a <img src="https://t.example/x.gif"><img alt="Our shop" src="https://t.example/y.png"></p>`: `a \[image: Our shop]`,
		`<a href="javascript:alert(1)">x</a> <a href="data:text/html,x">y</a>`:                           "x y",
		`<a href="https://x.example/a?b=1&amp;c=2">here</a>`:                                             "[here](https://x.example/a?b=1&c=2)",
		`<a href="https://x.example/"><img src="https://t.example/x.gif"></a>`:                           "[x.example](https://x.example/)",
		`<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>`:                      "| a | b |\n|---|---|\n| 1 | 2 |",
		`<table><tr><td><table><tr><td><p>one</p></td></tr></table></td><td>two</td></tr></table>`:       "one\n\ntwo",
		`<input value="hidden"><textarea>hidden</textarea><title>hidden</title>a`:                        "a",
		`<blockquote><p>q</p></blockquote>`:                                                              "> q",
		`a<br>b`:                                                                                         "a  \nb",
		``:                                                                                               "",
	} {
		got, warnings := markdown(text)
		if strings.TrimSpace(got) != want || len(warnings) > 0 {
			t.Errorf("%s\n got %q\nwant %q, warnings %q", text, got, want, warnings)
		}
	}
}

func TestFalseLinks(t *testing.T) {
	for text, want := range map[string]string{
		`<a href="https://evil.example/x">https://bank.example/login</a>`: "A link reads bank.example and leads to evil.example.",
		`<a href="https://www.bank.example/x">https://bank.example/</a>`:  "",
		`<a href="https://evil.example/x">your bank</a>`:                  "",
		`<a href="mailto:a@bank.example">https://bank.example</a>`:        "",
	} {
		if _, warnings := markdown(text); strings.Join(warnings, " ") != want {
			t.Errorf("%s: %q, want %q", text, warnings, want)
		}
	}
}

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"a\n> b\nc":                                 "a\n> b\nc",
		"a\n> 1\n> 2\n>3\n\nb":                      "a\n> 1\n> 2\n>3\n\nb",
		"a\n> 1\n> 2\n>\n>> 4\nb":                   "a\n> [4 quoted lines left out]\nb",
		"> 1\n> 2\n> 3\n> 4\nIn between\n> 5":       "> [4 quoted lines left out]\nIn between\n> 5",
		"a\n-----Original Message-----\nFrom: x\ny": "a\n> [3 quoted lines left out]",
		"-----Original Message-----\nFrom: x":       "-----Original Message-----\nFrom: x",
		"---------- Forwarded message ---------\nx": "---------- Forwarded message ---------\nx",
	} {
		if got, _ := fold(text); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

// TestHeavyHTML: what would take a converter long comes as words, at once.
func TestHeavyHTML(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("<div>", 100_000) + "word", strings.Repeat("<blockquote>", 90) + strings.Repeat("<p>word</p>", 20_000),
		strings.Repeat("<table><tr><td>", 160) + strings.Repeat("word ", 60_000), "<p>" + strings.Repeat("word ", 60_000),
	} {
		if md, _ := markdown(text); !strings.Contains(md, "word") && !strings.HasPrefix(text, "<div>") {
			t.Errorf("nothing of %.20s", text)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{`<p>a<b>b</p>`, `<table><td><table>`, `<a href="x">y`, `<p style="display:none;:;">`, "\x00<\xff", `<ul><li>a<ol><li>b`, `<pre>a</pre>`, `<svg><title>x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		md, warnings := markdown(text + `<script>SECRETSCRIPT</script><p style="display:none">SECRETSCRIPT</p>`)
		if len(warnings) > 5 {
			t.Errorf("%d warnings", len(warnings))
		}
		_ = md
		folded, n := fold(md)
		if n == 0 && folded != md {
			t.Errorf("%q became %q", md, folded)
		}
	})
}

func FuzzPlain(f *testing.F) {
	f.Add("a &lt;b&gt; <a href=\"https://x\">https://x</a>")
	f.Fuzz(func(t *testing.T, text string) {
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
		if got := plain(escaped); got != text && !strings.ContainsAny(text, "\r\x00") {
			t.Errorf("%q became %q", text, got)
		}
	})
}
