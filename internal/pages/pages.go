// Package pages shows people everything that this server says to a browser:
// the landing page, the steps of a sign-in, the consent page, the account pages
// and the error pages. It is apart from the handlers, because what a page says,
// in which language, and what its headers forbid is one subject, and what the
// handlers decide is another.
//
// Pages are built from Go values by gomponents, so that everything that comes
// from outside is text by construction, and without text/template (see
// docs/decisions/0012-pages.md). They need no script and no other resource.
package pages

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// Options are what all pages share.
type Options struct {
	// Base is the path of the public URL, without a slash at its end: empty, or
	// such as "/nextcloud-mcp".
	Base string
}

// Pages writes pages.
type Pages struct{ base string }

// New makes the writer of pages.
func New(o Options) *Pages { return &Pages{base: strings.TrimSuffix(o.Base, "/")} }

// Write answers the request with a page, in the language that its
// Accept-Language asks for.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, status int, page Page) {
	t := choose(r.Header.Values("Accept-Language"))
	s := page.draw(view{t, p.base})

	var b bytes.Buffer
	// Neither the nodes nor the buffer return an error.
	_ = s.document(t, p.base).Render(&b)

	h := w.Header()
	s.protect(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", t.tag)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Add("Vary", "Accept-Language")
	h.Set("Cache-Control", "no-store")
	if s.public && status == http.StatusOK {
		h.Set("Cache-Control", "public, max-age=300")
	}
	w.WriteHeader(status)
	// Nobody is left to hear of a broken connection.
	_, _ = w.Write(b.Bytes())
}

// view is what a page is drawn with.
type view struct {
	*texts
	base string
}

// sheet is a drawn page.
type sheet struct {
	title    string
	head     node // more for the head; may be nil
	main     node
	slim     bool // a few words, better read in a narrow column
	scripted bool // the script is part of it
	polls    bool // the script asks this server
	public   bool // it says the same to everybody, and links nowhere secret
	popup    bool // it may stand in a window that a client opened and waits for
}

// protect sets the headers that keep a page from being misused.
func (s sheet) protect(h http.Header) {
	policy := "default-src 'none'; style-src '" + styleHash + "'; "
	if s.scripted {
		policy += "script-src '" + scriptHash + "'; "
	}
	if s.polls {
		policy += "connect-src 'self'; "
	}
	h.Set("Content-Security-Policy", policy+"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with it, browsers send "Origin: null" with our own forms
	// (Fetch, 3.2.6), and a server on plain http has nothing else to tell them
	// from those of other sites. No other site gets a referrer either way.
	h.Set("Referrer-Policy", "same-origin")
	if !s.popup {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
