package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"nextcloud-mcp-server/internal/pages"
)

const word = "W0RD"

// every is each page with every part filled in; s is every string that comes
// from outside.
func every(s string) map[string]pages.Page {
	client := pages.ClientView{Name: s, URI: "https://home.example/x", Kind: "document", ID: "https://client.example/id", RedirectHost: s}
	local := pages.ClientView{Name: s, Kind: "registered", RedirectHost: s, Local: true}
	configured := pages.ClientView{Name: s, Kind: "configured", RedirectHost: s}
	all := []pages.Switch{{Scope: s, Right: "read", On: true}, {Scope: s, Right: "write"}, {Scope: s, Right: "send", On: true}, {Scope: s, Right: s, On: true}}
	var areas []pages.ConsentArea
	for _, area := range []string{"notes", "mail", s} {
		areas = append(areas, pages.ConsentArea{Area: area, Switches: all})
	}
	consent := pages.Consent{
		Client: client, Action: "/consent", CSRF: s, UserName: s, UserID: s, Nextcloud: s, NotYouURL: "/other", Areas: areas,
		AskFolders: true, Folders: s, FoldersBad: "path", ReadOnly: true, NoDelete: true, Lifetimes: []string{"1d", s}, Lifetime: s, Again: true, NothingLeft: true,
	}
	plain := consent
	plain.Client, plain.FoldersBad, plain.Again, plain.NothingLeft, plain.Lifetime = local, "", false, false, "1d"
	at := time.Date(2026, 3, 1, 22, 5, 0, 0, time.FixedZone("", -2*60*60))
	connection := pages.Connection{ID: s, Client: client, Since: at, LastUsed: at, Ends: at, Areas: areas, ReadOnly: true, NoDelete: true, Folders: []string{s, s}, Paused: true}
	other := pages.Connection{ID: s, Client: configured, Since: at, Areas: areas}
	waiting := pages.Waiting{
		Client: &client, Nextcloud: s, OpenURL: "/open", PhoneURL: "https://mcp.example/oauth/phone/1", Code: s, StatusURL: "/status", SelfURL: "/self",
		CancelURL: "/cancel", CSRF: s, Other: "/other", Reason: "no_exchange",
	}
	return map[string]pages.Page{
		"landing":          pages.Landing{MCPURL: s, Nextcloud: s, AccountURL: "/account"},
		"landing, closed":  pages.Landing{MCPURL: s, Nextcloud: s},
		"waiting":          waiting,
		"waiting, account": pages.Waiting{Nextcloud: s, OpenURL: "/open", StatusURL: "/status", SelfURL: "/self", CSRF: s},
		"phone":            pages.Phone{Client: &client, Server: s, Nextcloud: s, Code: s, ContinueURL: "/go"},
		"waiting, linked":  pages.Waiting{Client: &pages.ClientView{Name: s}, Linked: true, Nextcloud: s, OpenURL: "/open", StatusURL: "/status", SelfURL: "/self", CSRF: s},
		"sign-in link":     pages.SignInLink{Client: s, Server: s, Nextcloud: s, ContinueURL: "/go"},
		"sign-in done":     pages.SignInDone{Client: s, Nextcloud: s},
		"phone, account":   pages.Phone{Server: s, Nextcloud: s, Code: s, ContinueURL: "/go"},
		"consent":          consent,
		"consent, plain":   plain,
		"leaving":          pages.Leaving{To: "https://client.example/cb?code=1", ClientName: s, Host: s},
		"leaving, denied":  pages.Leaving{To: "cursor://cb?error=access_denied", ClientName: s, Host: s, Local: true, Denied: true},
		"onward":           pages.Onward{To: "https://login.example/authorize?x=1"},
		"account":          pages.Account{UserName: s, UserID: s, Nextcloud: s, MCPURL: s, CSRF: s, Connections: []pages.Connection{connection, other}, Notice: "ended", Lately: []pages.AuditLine{{At: at, Client: s, Tool: s, Object: s, Outcome: s}, {At: at, Outcome: "ok"}}},
		"account, empty":   pages.Account{UserName: s, UserID: s, Nextcloud: s, MCPURL: s, CSRF: s},
		"change":           pages.Change{Consent: consent, BackURL: "/account"},
		"signed out":       pages.SignedOut{AccountURL: "/account"},
		"failure":          pages.Failure{Code: pages.CodeBadRedirect, Client: &client, Detail: s, RetryURL: "/again", BackTo: "https://client.example/cb?error=x"},
		"failure, unknown": pages.Failure{Code: s},
	}
}

// answer is a page as a browser with that Accept-Language gets it.
func answer(t *testing.T, page pages.Page, status int, language string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if language != "" {
		r.Header.Set("Accept-Language", language)
	}
	w := httptest.NewRecorder()
	pages.New(pages.Options{Base: "/base/"}).Write(w, r, status, page)
	return w.Result()
}

// parsed is the page as an HTML5 parser reads it.
func parsed(t *testing.T, page pages.Page, language string) *html.Node {
	t.Helper()
	// A browser with scripts reads noscript as text, one without as elements.
	root, err := html.ParseWithOptions(answer(t, page, http.StatusOK, language).Body, html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements are all elements of the given names, or all when there are none.
func elements(root *html.Node, names ...string) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (len(names) == 0 || slices.Contains(names, n.Data)) {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func attr(n *html.Node, name string) string {
	value, _ := attribute(n, name)
	return value
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func inside(n *html.Node, name string) bool {
	for p := range n.Ancestors() {
		if p.Data == name {
			return true
		}
	}
	return false
}

// TestHeaders checks what a page forbids, and that its policy lets through the
// very style and script that it carries, and nothing else.
func TestHeaders(t *testing.T) {
	for name, page := range every(word) {
		t.Run(name, func(t *testing.T) {
			res := answer(t, page, http.StatusOK, "")
			root, err := html.Parse(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			want := "default-src 'none'; "
			source := func(kind string) {
				var wantSb148 strings.Builder
				for _, n := range elements(root, kind) {
					sum := sha256.Sum256([]byte(n.FirstChild.Data))
					wantSb148.WriteString(kind + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; ")
				}
				want += wantSb148.String()
			}
			source("style")
			source("script")
			if len(elements(root, "style")) != 1 || len(elements(root, "script")) > 1 {
				t.Error("more than one style or script")
			}
			if strings.HasPrefix(name, "waiting") {
				want += "connect-src 'self'; "
			}
			want += "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
			opener := "same-origin"
			switch strings.Split(name, ",")[0] {
			case "waiting", "phone", "consent", "leaving", "onward", "failure", "sign-in link", "sign-in done":
				opener = "" // a client may have opened the window, and wait for it
			}
			cache := "no-store"
			if strings.HasPrefix(name, "landing") {
				cache = "public, max-age=300"
			}
			for header, want := range map[string]string{
				"Content-Security-Policy":      want,
				"Content-Type":                 "text/html; charset=utf-8",
				"Content-Language":             "en",
				"Vary":                         "Accept-Language",
				"Cache-Control":                cache,
				"X-Frame-Options":              "DENY",
				"X-Content-Type-Options":       "nosniff",
				"Referrer-Policy":              "same-origin",
				"Cross-Origin-Opener-Policy":   opener,
				"Cross-Origin-Resource-Policy": "same-origin",
				"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
				"Content-Length":               strconv.FormatInt(res.ContentLength, 10),
			} {
				if got := res.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
		})
	}
	res := answer(t, pages.Landing{}, http.StatusServiceUnavailable, "de")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Language") != "de" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

// TestNothingForeign checks that no page asks for another resource, and that
// nothing runs or is styled that the policy does not name.
func TestNothingForeign(t *testing.T) {
	for name, page := range every(word) {
		root := parsed(t, page, "de")
		for _, n := range elements(root) {
			for _, a := range n.Attr {
				if a.Key == "src" || a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s %s>", name, n.Data, a.Key)
				}
			}
		}
		if n := elements(root, "link", "img", "iframe", "object", "embed", "base", "video", "audio"); len(n) > 0 {
			t.Errorf("%s: <%s>", name, n[0].Data)
		}
		style := text(elements(root, "style")[0]) + elements(root, "style")[0].FirstChild.Data
		if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
			t.Errorf("%s: the style asks for more", name)
		}
	}
}

// TestForms checks that every form is a POST to this server with a CSRF token,
// and that nothing is sent by any other way.
func TestForms(t *testing.T) {
	for name, page := range every(word) {
		for _, form := range elements(parsed(t, page, ""), "form") {
			action := attr(form, "action")
			if attr(form, "method") != "post" || !strings.HasPrefix(action, "/") {
				t.Errorf("%s: <form method=%q action=%q>", name, attr(form, "method"), action)
			}
			if strings.HasPrefix(name, "account") && !strings.HasPrefix(action, "/base/account/") {
				t.Errorf("%s: %s is not below the base", name, action)
			}
			tokens, buttons := 0, 0
			for _, n := range elements(form, "input", "button") {
				if attr(n, "name") == "csrf" && attr(n, "type") == "hidden" && attr(n, "value") == word {
					tokens++
				}
				if n.Data == "button" {
					buttons++
				}
				for _, override := range []string{"form", "formaction", "formmethod", "formtarget"} {
					if _, ok := attribute(n, override); ok {
						t.Errorf("%s: %s", name, override)
					}
				}
			}
			if tokens != 1 || buttons == 0 || inside(form, "form") {
				t.Errorf("%s: %s has %d tokens and %d buttons", name, action, tokens, buttons)
			}
		}
	}
}

// TestAccessibility checks what a screen reader and a keyboard need.
func TestAccessibility(t *testing.T) {
	for name, page := range every(word) {
		for _, language := range []string{"en", "de"} {
			root := parsed(t, page, language)
			if got := attr(elements(root, "html")[0], "lang"); got != language {
				t.Errorf("%s: lang=%q", name, got)
			}
			for landmark, want := range map[string]int{"header": 1, "main": 1, "h1": 1, "title": 1} {
				if got := len(elements(root, landmark)); got != want {
					t.Errorf("%s: %d <%s>", name, got, landmark)
				}
			}
			level := 0
			ids := map[string]*html.Node{}
			for _, n := range elements(root) {
				if id, ok := attribute(n, "id"); ok {
					if ids[id] != nil {
						t.Errorf("%s: the id %q twice", name, id)
					}
					ids[id] = n
				}
				if len(n.Data) == 2 && n.Data[0] == 'h' && '1' <= n.Data[1] && n.Data[1] <= '6' {
					if now := int(n.Data[1] - '0'); now > level+1 {
						t.Errorf("%s: <%s> after <h%d>", name, n.Data, level)
					} else {
						level = now
					}
				}
				if n.Data == "fieldset" && (n.FirstChild == nil || n.FirstChild.Data != "legend" || text(n.FirstChild) == "") {
					t.Errorf("%s: a fieldset without a legend", name)
				}
				if n.Data == "a" && (text(n) == "" || attr(n, "href") == "") || n.Data == "button" && text(n) == "" {
					t.Errorf("%s: an empty <%s>", name, n.Data)
				}
				if _, ok := attribute(n, "autofocus"); ok {
					t.Errorf("%s: the focus is taken away", name)
				}
			}
			for _, n := range elements(root) {
				for _, reference := range []string{"for", "aria-labelledby", "aria-describedby", "data-copy"} {
					for id := range strings.FieldsSeq(attr(n, reference)) {
						if ids[id] == nil {
							t.Errorf("%s: %s=%q leads nowhere", name, reference, id)
						}
					}
				}
			}
			for _, n := range elements(root, "input", "select", "textarea") {
				labelled := slices.ContainsFunc(elements(root, "label"), func(l *html.Node) bool {
					return text(l) != "" && (attr(l, "for") != "" && attr(l, "for") == attr(n, "id") || slices.Contains(elements(l), n))
				})
				if !labelled && attr(n, "type") != "hidden" {
					t.Errorf("%s: <%s name=%q> without a label", name, n.Data, attr(n, "name"))
				}
			}
			for _, n := range elements(root, "svg") {
				if attr(n, "role") != "img" || attr(n, "aria-label") == "" {
					t.Errorf("%s: a picture without words", name)
				}
			}
		}
	}
}

// TestSize holds the pages to their targets: a consent page of every area and
// right to 30 KB.
func TestSize(t *testing.T) {
	var areas []pages.ConsentArea
	for _, area := range []string{"notes", "calendar", "todo", "contacts", "files", "sharing", "deck", "tables", "cookbook", "news", "talk", "collectives", "mail", "search", "notifications", "people", "assistant", "forms", "polls", "bookmarks", "photos", "maps", "another"} {
		areas = append(areas, pages.ConsentArea{Area: area, Switches: []pages.Switch{
			{Scope: area + ".read", Right: "read", On: true}, {Scope: area + ".write", Right: "write", On: true}, {Scope: area + ".send", Right: "send", On: true},
		}})
	}
	all := every(word)
	all["consent, whole"] = pages.Consent{
		Client: pages.ClientView{Name: "Claude", Kind: "registered", RedirectHost: "claude.ai"}, Action: "/oauth/connect/" + strings.Repeat("x", 43) + "/consent",
		CSRF: strings.Repeat("x", 43), UserName: "Alice", UserID: "alice", Nextcloud: "cloud.example.com", NotYouURL: "/oauth/connect/other",
		Areas: areas, AskFolders: true, Lifetimes: []string{"unlimited", "1d", "7d", "30d", "365d"}, Lifetime: "unlimited",
	}
	for name, page := range all {
		for _, language := range []string{"en", "de"} {
			size := answer(t, page, http.StatusOK, language).ContentLength
			if size <= 0 {
				size = int64(len(text(parsed(t, page, language))))
			}
			t.Logf("%-20s %s %6d bytes", name, language, size)
			if size > 30_000 {
				t.Errorf("%s: %d bytes in %s", name, size, language)
			}
		}
	}
}
