package nextcloud

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"testing"

	"nextcloud-mcp-server/internal/auth"
)

// canary is the credential of every test client. It must never be seen in an
// error.
const canary = "canary-credential-1"

// roundTrips answers requests without a network, so that tests of waiting can
// run on a fake clock.
type roundTrips func(*http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is a response made of its parts; headers are name and value in turn.
func answer(r *http.Request, status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// always gives every request the same answer and counts the requests.
func always(count *int, status int, body string, headers ...string) roundTrips {
	return func(r *http.Request) (*http.Response, error) {
		*count++
		return answer(r, status, body, headers...), nil
	}
}

func basic() Basic { return Basic{LoginName: "alice", Password: auth.Secret(canary)} }

// overFake is a client whose requests rt answers.
func overFake(tb testing.TB, rt http.RoundTripper, credentials Credentials, opts *ClientOptions) *Client {
	tb.Helper()
	return New(NewHost(mustURL(tb, "https://cloud.example/nc"), &HostOptions{Transport: rt}), credentials, opts)
}

func mustURL(tb testing.TB, s string) *url.URL {
	tb.Helper()
	u, err := url.Parse(s)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}
