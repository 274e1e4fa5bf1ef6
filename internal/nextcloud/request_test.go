package nextcloud

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// overHTTP is a client of a real HTTP server that h answers for.
func overHTTP(tb testing.TB, h http.Handler) *Client {
	tb.Helper()
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	return New(NewHost(mustURL(tb, server.URL), nil), basic(), nil)
}

func TestRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	client := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
		got = r
		body, _ = io.ReadAll(r.Body)
		return answer(r, 200, `{"a":1}`, "ETag", `W/"tag"`), nil
	}), basic(), &ClientOptions{UserAgent: "test (agent)"})
	path, err := Path("/remote.php/dav/files", "al ice", "50%?#", "ü")
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ A int }
	res, err := client.JSON(t.Context(), Request{
		Op: "try", Method: "PUT", Path: path, Query: url.Values{"q": {"a b&c"}},
		Header: http.Header{"If-Match": {QuoteETag("x")}}, Body: []byte("body"), Type: "text/plain",
	}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://cloud.example/nc/remote.php/dav/files/al%20ice/50%25%3F%23/%C3%BC?q=a+b%26c"; got.URL.String() != want {
		t.Errorf("URL = %s\nwant  %s", got.URL, want)
	}
	want := http.Header{
		"If-Match": {`"x"`}, "Content-Type": {"text/plain"}, "Accept": {"application/json"}, "Ocs-Apirequest": {"true"},
		"User-Agent": {"test (agent)"}, "Authorization": {"Basic YWxpY2U6Y2FuYXJ5LWNyZWRlbnRpYWwtMQ=="},
	}
	if d := cmp.Diff(want, got.Header); d != "" {
		t.Errorf("headers (-want +got):\n%s", d)
	}
	if got.Method != http.MethodPut || string(body) != "body" || out.A != 1 || res.ETag() != "tag" {
		t.Errorf("%s %q, answer %+v, etag %q", got.Method, body, out, res.ETag())
	}
}

func TestRedirects(t *testing.T) {
	stolen := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen++ }))
	defer elsewhere.Close()
	reached := ""
	mux := http.NewServeMux()
	mux.HandleFunc("/final", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		reached = r.Method + " " + r.Header.Get("Authorization") + " " + string(body)
		_, _ = io.WriteString(w, "{}")
	})
	mux.HandleFunc("/index.php/login", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>Log in</html>")
	})
	for path, c := range map[string]struct {
		to   string
		code int
	}{
		"/found": {"/final", 302}, "/temporary": {"/final", 307}, "/away": {elsewhere.URL + "/x", 302}, "/away-for-good": {elsewhere.URL + "/x", 308},
		"/circle": {"/circle", 302}, "/private": {"/index.php/login?redirect_url=x", 303},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, c.to, c.code) })
	}
	const authorization = "Basic YWxpY2U6Y2FuYXJ5LWNyZWRlbnRpYWwtMQ=="
	for _, c := range []struct {
		method, path string
		kind         error
		message      string
		reached      string
	}{
		{"GET", "/found", nil, "", "GET " + authorization + " "},
		{"PUT", "/temporary", nil, "", "PUT " + authorization + " body"},
		{"PUT", "/found", ErrBadAnswer, "Nextcloud redirects requests: set NEXTCLOUD_HOST to the final address", ""},
		{"PROPFIND", "/found", ErrBadAnswer, "Nextcloud redirects requests: set NEXTCLOUD_HOST to the final address", ""},
		{"GET", "/away", ErrBadAnswer, "Nextcloud sent us to another host (redirect to another host: " + elsewhere.URL + "): set NEXTCLOUD_HOST to the final address", ""},
		{"PUT", "/away-for-good", ErrBadAnswer, "Nextcloud sent us to another host (redirect to another host: " + elsewhere.URL + "): set NEXTCLOUD_HOST to the final address", ""},
		{"GET", "/circle", ErrBadAnswer, "Nextcloud redirects in circles", ""},
		{"GET", "/private", ErrUnauthenticated, "Nextcloud answered with its login page", ""},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			reached = ""
			r := Request{Op: "try", Method: c.method, Path: c.path}
			if c.method == "PUT" {
				r.Body = []byte("body")
			}
			_, err := overHTTP(t, mux).Do(t.Context(), r)
			var e *Error
			if errors.As(err, &e) != (c.kind != nil) || e != nil && (!errors.Is(e.Kind, c.kind) || e.Message != c.message) {
				t.Errorf("error = %v, want %v: %s", err, c.kind, c.message)
			}
			if reached != c.reached {
				t.Errorf("reached %q, want %q", reached, c.reached)
			}
		})
	}
	if stolen != 0 {
		t.Errorf("%d requests reached another host", stolen)
	}
}

func TestRedirectDowngrade(t *testing.T) {
	request := func(target string) *http.Request {
		return &http.Request{Method: http.MethodGet, URL: mustURL(t, target)}
	}
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"https://cloud.example/a", "https://cloud.example/b", nil},
		{"http://cloud.example/a", "https://cloud.example/a", nil},
		{"https://cloud.example/a", "http://cloud.example/a", errOtherHost},
		{"https://cloud.example/a", "https://cloud.example:8443/a", errOtherHost},
		{"https://cloud.example/a", "https://cloud.example.evil.example/a", errOtherHost},
	} {
		if err := sameHostRedirects(request(c.to), []*http.Request{request(c.from)}); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v, want %v", c.from, c.to, err, c.want)
		}
	}
}

func TestDamagedAnswers(t *testing.T) {
	raw := func(w http.ResponseWriter, text string) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
	mux := http.NewServeMux()
	for path, text := range map[string]string{
		"/short":   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":1}",
		"/chunked": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n",
		"/nothing": "",
		"/page":    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
		"/empty":   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
		"/garbage": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n{{{{",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { raw(w, text) })
	}
	client := overHTTP(t, mux)
	for _, c := range []struct {
		path    string
		kind    error
		message string
	}{
		{"/short", ErrUnavailable, "the answer was cut off"},
		{"/chunked", ErrUnavailable, "the answer was cut off"},
		{"/nothing", ErrUnavailable, "no connection to Nextcloud"},
		{"/page", ErrBadAnswer, "Nextcloud answered with a web page where data was expected"},
		{"/empty", ErrBadAnswer, "the answer is empty"},
		{"/garbage", ErrBadAnswer, "the answer is not the JSON that was expected"},
	} {
		var out struct{}
		_, jsonErr := client.JSON(t.Context(), Request{Op: "try", Path: c.path}, &out)
		ocsErr := client.OCS(t.Context(), Request{Op: "try", Path: c.path}, &out)
		for _, err := range []error{jsonErr, ocsErr} {
			var e *Error
			if !errors.As(err, &e) || !errors.Is(e.Kind, c.kind) || e.Message != c.message {
				t.Errorf("%s: %v, want %v: %s", c.path, err, c.kind, c.message)
			}
		}
	}
}

func TestBodyLimit(t *testing.T) {
	client := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.Query().Get("n"))))
	}))
	for n, tooLarge := range map[int]bool{9: false, 10: false, 11: true} {
		_, err := client.Do(t.Context(), Request{Op: "try", Path: "/", Query: url.Values{"n": {strings.Repeat("1", n)}}, MaxBody: 10})
		if errors.Is(err, ErrTooLarge) != tooLarge {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestNoCookies(t *testing.T) {
	var seen []string
	client := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Cookie")+r.Header.Get("Origin"))
		http.SetCookie(w, &http.Cookie{Name: "nc_session_id", Value: "somebody", Path: "/"})
	}))
	for range 2 {
		if _, err := client.Do(t.Context(), Request{Op: "try", Path: "/x"}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"", ""}, seen); d != "" {
		t.Errorf("cookies were sent (-want +got):\n%s", d)
	}
}

// TestCanary looks for the credential, and for a secret in a query, in
// everything that a failure can print.
func TestCanary(t *testing.T) {
	away := roundTrips(func(r *http.Request) (*http.Response, error) {
		return answer(r, 302, "", "Location", "https://user:"+canary+"@other.example/?token="+canary), nil
	})
	fails := roundTrips(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("dial")}
	})
	n := 0
	for name, rt := range map[string]http.RoundTripper{
		"redirect": away, "connection": fails, "refused": always(&n, 401, "no"), "page": always(&n, 200, "<html>"), "server": always(&n, 500, "x"),
	} {
		for _, credentials := range []Credentials{basic(), Bearer{Token: canary}} {
			client := overFake(t, rt, credentials, nil)
			_, err := client.JSON(t.Context(), Request{Op: "try", Path: "/x", Query: url.Values{"token": {canary}}}, &struct{}{})
			if err == nil {
				t.Fatalf("%s: no error", name)
			}
			var text strings.Builder
			for e := err; e != nil; e = errors.Unwrap(e) {
				fmt.Fprintf(&text, "%v %+v %q\n", e, e, e)
			}
			fmt.Fprintf(&text, "%v %+v %#v %s\n", client, client, client, client)
			fmt.Fprintf(&text, "%v %+v %#v\n", credentials, credentials, credentials)
			fmt.Fprintf(&text, "%s\n", client.Host().PublicURL("/x"))
			if strings.Contains(text.String(), canary) || strings.Contains(text.String(), "YWxpY2U6Y2FuYXJ5") {
				t.Errorf("%s: a credential shows:\n%s", name, text.String())
			}
		}
	}
	host := NewHost(mustURL(t, "https://u:"+canary+"@a.example"), &HostOptions{Public: mustURL(t, "https://u:"+canary+"@b.example/nc/?q=1")})
	if got := host.Base().String() + " " + host.PublicURL("/x"); got != "https://a.example https://b.example/nc/x" {
		t.Errorf("addresses: %s", got)
	}
}
