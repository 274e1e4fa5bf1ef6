package connecttest

import (
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// Browser is one person's browser on this server's pages. It stops at every
// page of the server and at every address elsewhere, and counts what the person
// saw and clicked.
type Browser struct {
	Shown  int // pages of this server
	Clicks int // links and buttons of theirs

	tb     testing.TB
	server *Server
	client *http.Client
	person *nextcloudtest.Browser // the same browser at Nextcloud
	Header http.Header            // of each request
}

// Browser is a browser without cookies for a person with a password.
func (s *Server) Browser(tb testing.TB, user, password string) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Browser{
		tb: tb, server: s, person: nextcloudtest.NewBrowser(user, password), Header: http.Header{},
		client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Alice is a new browser of alice.
func (s *Server) Alice(tb testing.TB) *Browser {
	tb.Helper()
	return s.Browser(tb, "alice", "alice-password-1")
}

// Bob is a new browser of bob.
func (s *Server) Bob(tb testing.TB) *Browser {
	tb.Helper()
	return s.Browser(tb, "bob", "bob-password-1")
}

// Page is an answer that a browser came to rest at. Elsewhere is the address
// of another server that it was sent to, without opening it.
type Page struct {
	Status    int
	URL       *url.URL
	Header    http.Header
	Body      string
	Elsewhere string

	doc *html.Node
}

// Text is the visible text of the page.
func (p *Page) Text() string {
	var words []string
	for n := range p.doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// Link is the address of the first link that ends with suffix, empty for none.
func (p *Page) Link(suffix string) string {
	for _, n := range p.find("a") {
		if href := value(n, "href"); strings.HasSuffix(href, suffix) {
			return href
		}
	}
	return ""
}

// Away is where a page that sends the browser on leads, empty for any other.
func (p *Page) Away() string {
	for _, n := range p.find("a") {
		if slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "data-leave" }) {
			return value(n, "href")
		}
	}
	return ""
}

// Form is what the form with an action that ends with suffix would send as it
// stands, and where; nil for none.
func (p *Page) Form(suffix string) (action string, values url.Values) {
	for _, f := range p.find("form") {
		if !strings.HasSuffix(value(f, "action"), suffix) {
			continue
		}
		return value(f, "action"), fields(f)
	}
	return "", nil
}

func (p *Page) find(element string) []*html.Node {
	var out []*html.Node
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == element {
			out = append(out, n)
		}
	}
	return out
}

func fields(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		name := value(n, "name")
		switch {
		case n.Data == "input" && (value(n, "type") != "checkbox" || has(n, "checked")):
			values.Add(name, value(n, "value"))
		case n.Data == "textarea" && n.FirstChild != nil:
			values.Add(name, n.FirstChild.Data)
		case n.Data == "option" && has(n, "selected"):
			values.Add(value(n.Parent, "name"), value(n, "value"))
		}
	}
	return values
}

func value(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// Get opens an address, which may be a path of the server.
func (b *Browser) Get(address string) *Page {
	b.tb.Helper()
	return b.open(http.MethodGet, address, nil)
}

// Click follows a link of a page.
func (b *Browser) Click(address string) *Page {
	b.tb.Helper()
	b.Clicks++
	return b.Get(address)
}

// Submit sends the form of a page whose action ends with suffix, with changed
// fields; a nil value takes a field away.
func (b *Browser) Submit(p *Page, suffix string, changes url.Values) *Page {
	b.tb.Helper()
	action, values := p.Form(suffix)
	if values == nil {
		b.tb.Fatalf("%s has no form %s: %s", p.URL, suffix, p.Text())
	}
	for name, change := range changes {
		if values.Del(name); change != nil {
			values[name] = change
		}
	}
	b.Clicks++
	return b.Post(action, values)
}

// Post sends a form from a page of the server.
func (b *Browser) Post(address string, values url.Values) *Page {
	b.tb.Helper()
	return b.open(http.MethodPost, address, values)
}

// open loads an address and follows redirects within the server.
func (b *Browser) open(method, address string, values url.Values) *Page {
	b.tb.Helper()
	root, err := url.Parse(b.server.URL)
	if err != nil {
		b.tb.Fatal(err)
	}
	at := root
	for range 10 {
		if at, err = at.Parse(address); err != nil {
			b.tb.Fatal(err)
		}
		if at.Host != root.Host {
			return &Page{Elsewhere: at.String(), URL: at, doc: &html.Node{}}
		}
		page := b.load(method, at, values)
		if page.Status < 300 || page.Status > 399 {
			if method == http.MethodGet && strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || method == http.MethodPost {
				b.Shown++
			}
			return page
		}
		method, values, address = http.MethodGet, nil, page.Header.Get("Location")
	}
	b.tb.Fatalf("too many redirects, the last to %s", at)
	return nil
}

func (b *Browser) load(method string, at *url.URL, values url.Values) *Page {
	b.tb.Helper()
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	req, err := http.NewRequestWithContext(b.tb.Context(), method, at.String(), body)
	if err != nil {
		b.tb.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", at.Scheme+"://"+at.Host)
	}
	maps.Copy(req.Header, b.Header)
	res, err := b.client.Do(req)
	if err != nil {
		b.tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.tb.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(text)))
	if err != nil {
		b.tb.Fatal(err)
	}
	return &Page{Status: res.StatusCode, URL: at, Header: res.Header, Body: string(text), doc: doc}
}

// Cookie is the value of the browser's cookie for the server.
func (b *Browser) Cookie() string {
	root, err := url.Parse(b.server.URL)
	if err != nil {
		b.tb.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(root) {
		if c.Name == "ncmcp" {
			return c.Value
		}
	}
	return ""
}

// SetCookie plants a cookie.
func (b *Browser) SetCookie(value string) {
	root, err := url.Parse(b.server.URL)
	if err != nil {
		b.tb.Fatal(err)
	}
	b.client.Jar.SetCookies(root, []*http.Cookie{{Name: "ncmcp", Value: value, Path: "/"}}) //nolint:gosec // a jar keeps what a browser sends
}

// Nextcloud goes through Nextcloud's own pages from address to their end: a
// person signs in and grants what is asked.
func (b *Browser) Nextcloud(address string) {
	b.tb.Helper()
	page, err := b.person.Complete(b.tb.Context(), address)
	if err != nil || page.Status != http.StatusOK {
		b.tb.Fatalf("Nextcloud's pages ended at %+v, %v", page, err)
	}
}

// Provider goes through the provider's pages to this server's callback, whose
// address it answers.
func (b *Browser) Provider(address string) string {
	b.tb.Helper()
	back, err := b.person.Visit(b.tb.Context(), address, b.server.URL+"/oauth/callback")
	if err != nil {
		b.tb.Fatal(err)
	}
	return back.String()
}

// SecondTab is the same browser in another tab.
func (b *Browser) SecondTab() *Browser {
	tab := *b
	tab.Shown, tab.Clicks, tab.Header = 0, 0, b.Header.Clone()
	return &tab
}

// As is the same browser with another person before it, who signs out at
// Nextcloud first.
func (b *Browser) As(tb testing.TB, user, password string) *Browser {
	tb.Helper()
	tab := b.SecondTab()
	tab.person = nextcloudtest.NewBrowser(user, password)
	return tab
}

// WithCookie is another browser with one cookie, which nothing changes.
func (b *Browser) WithCookie(value string) *Browser {
	other := b.SecondTab()
	other.client = &http.Client{CheckRedirect: b.client.CheckRedirect}
	other.Header.Set("Cookie", "ncmcp="+value)
	return other
}

// Once opens an address with a cookie from before, and follows no redirect.
func (b *Browser) Once(cookie, address string) *Page {
	b.tb.Helper()
	at, err := url.Parse(b.server.URL)
	if err == nil {
		at, err = at.Parse(address)
	}
	if err != nil {
		b.tb.Fatal(err)
	}
	return b.WithCookie(cookie).load(http.MethodGet, at, nil)
}

// WithoutCookies is a browser that keeps no cookies.
func (s *Server) WithoutCookies(tb testing.TB) *Browser {
	tb.Helper()
	b := s.Alice(tb)
	b.client.Jar = nil
	return b
}
