package nextcloudtest

import (
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// loopbackJar keeps cookies as browsers do, for which loopback is as
// trustworthy as TLS: Secure cookies are kept from there, and go back there,
// by plain http, too.
type loopbackJar struct{ jar *cookiejar.Jar }

func newJar() http.CookieJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // never fails without options
	}
	return loopbackJar{jar}
}

// SetCookies implements http.CookieJar.
func (j loopbackJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.jar.SetCookies(trustworthy(u), cookies)
}

// Cookies implements http.CookieJar.
func (j loopbackJar) Cookies(u *url.URL) []*http.Cookie { return j.jar.Cookies(trustworthy(u)) }

// trustworthy is u as if by TLS where it is on loopback.
func trustworthy(u *url.URL) *url.URL {
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "http" || (u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return u
	}
	secure := *u
	secure.Scheme = "https"
	return &secure
}
