package nextcloudtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const (
	maxBrowserSteps = 40
	maxPage         = 4 << 20
)

// Browser is a person at a browser without scripts: it keeps cookies, follows redirects, fills in login forms and
// answers consent pages. It works on any server's pages, this package's and the product's. It is not safe for concurrent
// use.
type Browser struct {
	User     string // typed into login forms
	Password string

	Deny      bool     // press "Deny" where there is such a button
	Allow     []string // values of checkboxes that are ticked; nil leaves them as they come
	Untick    []string // values of checkboxes that are unticked
	Transport http.RoundTripper
	UserAgent string
	jar       http.CookieJar
}

// NewBrowser returns a browser without cookies for a person with these credentials.
func NewBrowser(user, password string) *Browser {
	return &Browser{User: user, Password: password, UserAgent: "Mozilla/5.0 (simulated)", jar: newJar()}
}

// Page is where a browser came to rest.
type Page struct {
	URL    *url.URL
	Status int
	Title  string
	Text   string // visible words, one space between them
}

// Errors of a browser.
var (
	ErrLoginRefused = errors.New("the login form came back")
	ErrStuck        = errors.New("the page offers nothing to go on with")
)

// Visit opens a page and goes on, signing in and consenting, until it is sent to an address that begins with until,
// which it returns without opening it.
func (b *Browser) Visit(ctx context.Context, start, until string) (*url.URL, error) {
	at, page, err := b.walk(ctx, start, until)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return nil, fmt.Errorf("%w: %d %q at %s: %s", ErrStuck, page.Status, page.Title, withoutQuery(page.URL), page.Text)
	}
	return at, nil
}

// Complete opens a page and goes on, signing in and consenting, until a page without a form, which it returns.
func (b *Browser) Complete(ctx context.Context, start string) (*Page, error) {
	_, page, err := b.walk(ctx, start, "")
	return page, err
}

// walk returns either the address it was to stop at or the page it got stuck on.
func (b *Browser) walk(ctx context.Context, start, until string) (*url.URL, *Page, error) {
	next, err := http.NewRequestWithContext(ctx, http.MethodGet, start, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("open page: %w", err)
	}
	loggedIn := false
	for range maxBrowserSteps {
		if until != "" && strings.HasPrefix(next.URL.String(), until) {
			return next.URL, nil, nil
		}
		got, err := b.load(next)
		if err != nil {
			return nil, nil, err
		}
		if got.redirect != nil {
			next, err = http.NewRequestWithContext(ctx, http.MethodGet, got.redirect.String(), nil)
			if err != nil {
				return nil, nil, fmt.Errorf("follow redirect: %w", err)
			}
			continue
		}
		page := describePage(got)
		f := b.chooseForm(got.doc)
		if f == nil {
			onward, err := b.leave(ctx, got)
			if err != nil || onward == nil {
				return nil, page, err
			}
			if next, err = http.NewRequestWithContext(ctx, http.MethodGet, onward.String(), nil); err != nil {
				return nil, nil, fmt.Errorf("go on: %w", err)
			}
			continue
		}
		if f.asksPassword() {
			if loggedIn {
				return nil, page, fmt.Errorf("%w: %s", ErrLoginRefused, page.Text)
			}
			loggedIn = true
		}
		next, err = f.request(ctx, b, page.URL)
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fmt.Errorf("%w: more than %d pages", ErrStuck, maxBrowserSteps)
}

// loaded is one answer.
type loaded struct {
	url      *url.URL
	status   int
	redirect *url.URL // nil: it is a page
	doc      *html.Node
}

// load fetches one page without following redirects.
func (b *Browser) load(r *http.Request) (*loaded, error) {
	r.Header.Set("User-Agent", b.UserAgent)
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	client := &http.Client{
		Transport:     b.Transport,
		Jar:           b.jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("load page: %w", err)
	}
	defer answer.Body.Close()
	doc, err := html.ParseWithOptions(io.LimitReader(answer.Body, maxPage), html.ParseOptionEnableScripting(false))
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	got := &loaded{url: answer.Request.URL, status: answer.StatusCode, doc: doc}
	if answer.StatusCode >= 300 && answer.StatusCode <= 399 {
		if target, err := answer.Location(); err == nil {
			got.redirect = target
		}
	}
	return got, nil
}

func withoutQuery(u *url.URL) string {
	clean := *u
	clean.RawQuery, clean.Fragment = "", ""
	return clean.String()
}

func describePage(got *loaded) *Page {
	page := &Page{URL: got.url, Status: got.status}
	if title := find(got.doc, func(n *html.Node) bool { return n.Data == "title" }); len(title) > 0 {
		page.Title = text(title[0])
	}
	if body := find(got.doc, func(n *html.Node) bool { return n.Data == "body" }); len(body) > 0 {
		page.Text = text(body[0])
	}
	return page
}

// find lists the elements below a node that match, in document order.
func find(root *html.Node, match func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			found = append(found, n)
		}
	}
	return found
}

// text is the visible text of an element.
func text(root *html.Node) string {
	var words []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func value(n *html.Node, name string) string {
	v, _ := attribute(n, name)
	return v
}

// form is one form of a page.
type form struct {
	node   *html.Node
	fields []*html.Node
}

// chooseForm returns the form that a person fills in: the one with a password, else the one that asks yes or no, else the
// first that can be submitted.
func (b *Browser) chooseForm(doc *html.Node) *form {
	var question, first *form
	for _, n := range find(doc, func(n *html.Node) bool { return n.Data == "form" }) {
		f := &form{node: n, fields: find(n, func(n *html.Node) bool {
			return slices.Contains([]string{"input", "button", "select", "textarea"}, n.Data)
		})}
		yes, no := f.buttons()
		switch {
		case f.submit(b.Deny) == nil:
		case f.asksPassword():
			return f
		case question == nil && yes != nil && no != nil:
			question = f
		case first == nil:
			first = f
		}
	}
	if question != nil {
		return question
	}
	return first
}

// leave returns where a page without a form sends the browser: a waiting page, after what it waits for was done in
// another tab, and a page that says goodbye. It is nil for all others.
func (b *Browser) leave(ctx context.Context, got *loaded) (*url.URL, error) {
	refresh := refreshOf(got)
	if refresh == nil {
		return nil, nil //nolint:nilnil // nowhere is an answer
	}
	links := find(got.doc, func(n *html.Node) bool { return n.Data == "a" && value(n, "target") == "_blank" })
	if len(links) == 0 {
		return refresh, nil
	}
	tab, err := got.url.Parse(value(links[0], "href"))
	if err != nil {
		return nil, fmt.Errorf("open another tab: %w", err)
	}
	if _, _, err := b.walk(ctx, tab.String(), ""); err != nil {
		return nil, err
	}
	return refresh, nil
}

// refreshOf returns where a page goes on to by itself, or nil.
func refreshOf(got *loaded) *url.URL {
	for _, n := range find(got.doc, func(n *html.Node) bool {
		return n.Data == "meta" && strings.EqualFold(value(n, "http-equiv"), "refresh")
	}) {
		_, target, _ := strings.Cut(value(n, "content"), ";")
		_, target, _ = strings.Cut(target, "=")
		if u, err := got.url.Parse(strings.Trim(strings.TrimSpace(target), `'"`)); err == nil {
			return u
		}
	}
	return nil
}

func (f *form) asksPassword() bool {
	return slices.ContainsFunc(f.fields, func(n *html.Node) bool { return value(n, "type") == "password" })
}

// submit returns the button to press: the one that says no when that is wanted and offered, else the first other one.
func (f *form) submit(deny bool) *html.Node {
	yes, no := f.buttons()
	if deny && no != nil {
		return no
	}
	return yes
}

// buttons are the first one that says yes and the first one that says no.
func (f *form) buttons() (yes, no *html.Node) {
	for _, n := range f.fields {
		if typ := value(n, "type"); typ != "submit" && (typ != "" || n.Data != "button") {
			continue
		}
		label := strings.ToLower(text(n) + value(n, "value"))
		refuses := strings.HasPrefix(label, "deny") || strings.HasPrefix(label, "cancel") || strings.HasPrefix(label, "reject")
		switch {
		case refuses && no == nil:
			no = n
		case !refuses && yes == nil:
			yes = n
		}
	}
	return yes, no
}

// request fills the form in and makes the request that submits it.
func (f *form) request(ctx context.Context, b *Browser, at *url.URL) (*http.Request, error) {
	button := f.submit(b.Deny)
	action, method := value(f.node, "action"), value(f.node, "method")
	if other, ok := attribute(button, "formaction"); ok {
		action = other
	}
	if other, ok := attribute(button, "formmethod"); ok {
		method = other
	}
	target, err := at.Parse(action)
	if err != nil {
		return nil, fmt.Errorf("submit form: %w", err)
	}
	values := f.values(b)
	if name := value(button, "name"); name != "" {
		values.Add(name, value(button, "value"))
	}
	if !strings.EqualFold(method, http.MethodPost) {
		target.RawQuery = values.Encode()
		return http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return nil, fmt.Errorf("submit form: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", at.Scheme+"://"+at.Host)
	r.Header.Set("Referer", at.String())
	return r, nil
}

// values are the fields as the person fills them in.
func (f *form) values(b *Browser) url.Values {
	values := url.Values{}
	for _, n := range f.fields {
		name := value(n, "name")
		if _, disabled := attribute(n, "disabled"); disabled || name == "" || n.Data == "button" {
			continue
		}
		v := value(n, "value")
		switch typ := value(n, "type"); {
		case n.Data == "textarea":
			values.Add(name, text(n))
		case n.Data == "select":
			values.Add(name, selected(n))
		case typ == "submit" || typ == "image" || typ == "reset" || typ == "button":
		case typ == "checkbox" || typ == "radio":
			if v == "" {
				v = "on"
			}
			if _, on := attribute(n, "checked"); b.ticks(typ, v, on) {
				values.Add(name, v)
			}
		case typ == "password":
			values.Add(name, b.Password)
		case f.asksPassword() && (typ == "" || typ == "text" || typ == "email"):
			values.Add(name, b.User)
		default:
			values.Add(name, v)
		}
	}
	return values
}

// ticks decides about one box.
func (b *Browser) ticks(typ, v string, on bool) bool {
	if typ == "radio" {
		return on
	}
	if b.Allow != nil {
		return slices.Contains(b.Allow, v)
	}
	return on && !slices.Contains(b.Untick, v)
}

func selected(n *html.Node) string {
	options := find(n, func(n *html.Node) bool { return n.Data == "option" })
	for _, option := range options {
		if _, on := attribute(option, "selected"); on {
			return value(option, "value")
		}
	}
	if len(options) > 0 {
		return value(options[0], "value")
	}
	return ""
}
