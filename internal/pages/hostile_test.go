package pages_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"rsc.io/qr"

	"nextcloud-mcp-server/internal/pages"
)

// skeleton is what a page is made of besides its words and values.
func skeleton(root *html.Node) []string {
	var out []string
	for _, n := range elements(root) {
		depth := 0
		for range n.Ancestors() {
			depth++
		}
		line := strings.Repeat(" ", depth) + n.Data
		var lineSb27 strings.Builder
		for _, a := range n.Attr {
			lineSb27.WriteString(" " + a.Key)
		}
		line += lineSb27.String()
		if n.Data == "style" || n.Data == "script" {
			line += n.FirstChild.Data
		}
		out = append(out, line)
	}
	return out
}

// FuzzOutside checks that no string from outside is ever more than text.
func FuzzOutside(f *testing.F) {
	for _, seed := range []string{
		"Claude", `"><script>alert(1)</script>`, "'><img src=x onerror=alert(1)>", "</title></style></script></textarea><h1>x", "<!--", "-->", "]]>", "&lt;b&gt; &#60;",
		"\x00\r\n\t\"'`<>&=", "\u202eevil\u2066", "\xff\xfe\xfd", "{client} {nextcloud}", "</textarea>\n</form><form action=//evil>", "<noscript></noscript>", "\n\n",
	} {
		f.Add(seed)
	}
	plain := map[string][]string{}
	f.Fuzz(func(t *testing.T, s string) {
		// A letter in front, because an empty string may leave a part of a page out.
		for name, page := range every("a" + s) {
			if plain[name] == nil {
				plain[name] = skeleton(parsed(t, every(word)[name], ""))
			}
			if diff := cmp.Diff(plain[name], skeleton(parsed(t, page, ""))); diff != "" {
				t.Errorf("%s: %q changes the page (-want +got)\n%s", name, s, diff)
			}
		}
	})
}

// TestHostileAddresses checks that no address from outside becomes a link that
// a browser runs, wherever it stands.
func TestHostileAddresses(t *testing.T) {
	for _, bad := range []string{"javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", `/\evil.example`, "https://u:p@evil.example/"} {
		client := pages.ClientView{Name: "x", URI: bad, Kind: "document", ID: bad}
		for name, page := range map[string]pages.Page{
			"landing":    pages.Landing{AccountURL: bad, MCPURL: bad},
			"waiting":    pages.Waiting{Client: &client, OpenURL: bad, PhoneURL: bad, StatusURL: bad, SelfURL: bad, CancelURL: bad, Other: bad},
			"phone":      pages.Phone{Client: &client, ContinueURL: bad},
			"link":       pages.SignInLink{Client: "x", ContinueURL: bad},
			"consent":    pages.Consent{Client: client, Action: bad, NotYouURL: bad},
			"leaving":    pages.Leaving{To: bad},
			"onward":     pages.Onward{To: bad},
			"account":    pages.Account{Connections: []pages.Connection{{ID: bad, Client: client}}},
			"change":     pages.Change{Consent: pages.Consent{Action: bad}, BackURL: bad},
			"signed out": pages.SignedOut{AccountURL: bad},
			"failure":    pages.Failure{Client: &client, RetryURL: bad, BackTo: bad},
		} {
			for _, n := range elements(parsed(t, page, "")) {
				for _, key := range []string{"href", "action", "data-status", "data-next", "content"} {
					value := attr(n, key)
					if key == "content" {
						_, value, _ = strings.Cut(value, "url=")
					}
					u, err := url.Parse(value)
					if value == bad || err != nil || u.User != nil || u.Scheme == "" && u.Host != "" || slices.Contains([]string{"javascript", "data", "vbscript"}, u.Scheme) {
						t.Errorf("%s: <%s %s=%q>", name, n.Data, key, value)
					}
				}
			}
		}
	}
}

// TestFailures checks that every problem is told in words of its own, what
// happened and what to do, in both languages.
func TestFailures(t *testing.T) {
	seen := map[string]string{}
	for _, code := range []string{pages.CodeOtherBrowser, pages.CodeFlowGone, pages.CodeCSRF, "flow_expired", "other_server", "unheard of"} {
		for _, language := range []string{"en", "de"} {
			root := parsed(t, pages.Failure{Code: code, Detail: "One more <sentence>.", RetryURL: "/again", BackTo: "app.example:/cb"}, language)
			said := text(elements(root, "main")[0])
			if other, twice := seen[said]; twice {
				t.Errorf("%s says the same as %s", code, other)
			}
			seen[said] = code
			if strings.Contains(said, code) != (code != "unheard of") || !strings.Contains(said, "One more <sentence>.") {
				t.Errorf("%s: %s", code, said)
			}
			if !slices.ContainsFunc(elements(root, "p"), func(n *html.Node) bool { return attr(n, "lang") == "en" && text(n) == "One more <sentence>." }) {
				t.Errorf("%s: an English sentence is not marked as one", code)
			}
			links := map[string]bool{}
			for _, a := range elements(root, "a") {
				links[attr(a, "href")] = true
			}
			if want := []string{"/again", "/base/", "app.example:/cb"}; !slices.Equal(slices.Sorted(maps.Keys(links)), want) {
				t.Errorf("%s: links %v", code, links)
			}
		}
	}
}

// TestQRCode reads the picture back, module by module.
func TestQRCode(t *testing.T) {
	const address = "https://mcp.example/oauth/phone/1"
	code, err := qr.Encode(address, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	paths := elements(parsed(t, every(word)["waiting"], ""), "path")
	if len(paths) != 2 {
		t.Fatalf("%d paths", len(paths))
	}
	black := map[[2]int]bool{}
	for run := range strings.SplitSeq(strings.TrimSuffix(attr(paths[1], "d"), "z"), "z") {
		var x, y, width, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &width, &back); err != nil || width != back {
			t.Fatalf("%q: %v", run, err)
		}
		for i := range width {
			black[[2]int{x + i - 4, y - 4}] = true
		}
	}
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) != black[[2]int{x, y}] {
				t.Fatalf("the module at %d, %d is wrong", x, y)
			}
			delete(black, [2]int{x, y})
		}
	}
	if len(black) != 0 {
		t.Errorf("%d modules too many", len(black))
	}
	long := pages.Waiting{OpenURL: "/open", PhoneURL: "https://mcp.example/" + strings.Repeat("x", 5_000), StatusURL: "/s", SelfURL: "/w"}
	if root := parsed(t, long, ""); len(elements(root, "svg")) != 0 || len(elements(root, "details")) != 1 {
		t.Error("an address too long for a QR code has no link either")
	}
}
