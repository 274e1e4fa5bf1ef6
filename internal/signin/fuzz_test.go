package signin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/signin"
)

// FuzzCallback: whatever a callback holds, it is a Problem without a panic,
// and nothing is asked of the provider unless state and issuer are right.
func FuzzCallback(f *testing.F) {
	f.Add("state=s&code=c")
	f.Add("state=s&code=c&iss=https://idp.example")
	f.Add("state=s&error=access_denied&error_description=x")
	f.Add("state=s&state=s&code=c;code=d&iss=")
	f.Fuzz(func(t *testing.T, query string) {
		q, _ := url.ParseQuery(query)
		asked := false
		rt := roundTrip(func(*http.Request) (*http.Response, error) {
			asked = true
			return nil, errors.New("no line")
		})
		host := nextcloud.NewHost(&url.URL{Scheme: "http", Host: "nextcloud.test"}, &nextcloud.HostOptions{Transport: rt})
		p := &oidcclient.Provider{Issuer: "https://idp.example", TokenEndpoint: "https://idp.example/token", IssParameter: true}
		now := time.Unix(1e9, 0)
		o := signin.NewOIDC(host, func() (*oidcclient.Provider, oidcclient.Client, bool) {
			return p, oidcclient.Client{ID: "c", Secret: "s"}, true
		},
			signin.OIDCOptions{RedirectURI: redirect, Now: func() time.Time { return now }})
		a := &signin.Attempt{State: "s", Nonce: "n", Verifier: "v", Issuer: p.Issuer, ClientID: "c", StartedAt: now}
		_, err := o.Finish(t.Context(), a, q)
		if _, ok := errors.AsType[*signin.Problem](err); !ok {
			t.Fatalf("error %v", err)
		}
		proven := len(q["state"]) == 1 && q.Get("state") == "s" && len(q["iss"]) == 1 && q.Get("iss") == p.Issuer && len(q["code"]) == 1
		if asked && !proven {
			t.Errorf("the provider was asked for %q", query)
		}
	})
}

// FuzzFlowAnswer: whatever Nextcloud, or what stands before it, answers to the
// start of a flow, the link is one of the public address, and the poll goes
// below the base.
func FuzzFlowAnswer(f *testing.F) {
	f.Add(`{"poll":{"token":"t","endpoint":"http://nextcloud.test/login/v2/poll"},"login":"http://nextcloud.test/login/v2/flow/x"}`)
	f.Add(`{"poll":{"token":"t","endpoint":"http://evil/%2e%2e/login/v2/poll"},"login":"http://evil//evil/..\\x"}`)
	f.Add(`{"poll":[],"login":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		var last *http.Request
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			last = r
			if r.URL.Host != "nextcloud.test" {
				t.Errorf("asked %s", r.URL)
			}
			w := httptest.NewRecorder()
			switch {
			case r.Method == http.MethodPost && r.URL.Path == "/index.php/login/v2":
				w.WriteString(body)
			case r.Method == http.MethodPost:
				w.WriteHeader(http.StatusNotFound)
			}
			res := w.Result()
			res.Request = r
			return res, nil
		})
		host := nextcloud.NewHost(&url.URL{Scheme: "http", Host: "nextcloud.test"}, &nextcloud.HostOptions{
			Public: &url.URL{Scheme: "https", Host: "cloud.example"}, Transport: rt,
		})
		l := signin.NewLoginFlow(host, nil)
		flow, err := l.Start(t.Context(), device)
		if err != nil {
			return
		}
		u, err := url.Parse(flow.LoginURL)
		if err != nil || u.Scheme != "https" || u.Host != "cloud.example" || u.User != nil {
			t.Errorf("login link %q", flow.LoginURL)
		}
		if _, err := l.Poll(t.Context(), flow); err == nil {
			t.Error("an outcome of nothing")
		}
		if !strings.HasSuffix(last.URL.Path, "/login/v2/poll") {
			t.Errorf("polled %s", last.URL)
		}
	})
}
