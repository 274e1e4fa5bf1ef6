package nextcloud

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"unicode"
)

func TestOCS(t *testing.T) {
	var asked url.Values
	client := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
		asked = r.URL.Query()
		return answer(r, 200, `{"ocs":{"meta":{"status":"ok","statuscode":`+r.URL.Query().Get("code")+`,"message":"words"},"data":`+r.URL.Query().Get("data")+`}}`), nil
	}), basic(), nil)
	for _, c := range []struct {
		code, data string
		kind       error
		want       map[string]int
	}{
		{"200", `{"a":1}`, nil, map[string]int{"a": 1}},
		{"100", `{"a":1}`, nil, map[string]int{"a": 1}},
		{"201", `[]`, nil, nil},
		{"200", `null`, nil, nil},
		{"200", `"text"`, ErrBadAnswer, nil},
		{"404", `[]`, ErrNotFound, nil},
		{"403", `[]`, ErrForbidden, nil},
		{"997", `[]`, ErrUnauthenticated, nil},
		{"998", `[]`, ErrAppMissing, nil},
		{"996", `[]`, ErrUnavailable, nil},
		{"0", `[]`, ErrBadAnswer, nil},
		{"101", `[]`, ErrBadAnswer, nil},
	} {
		query := url.Values{"code": {c.code}, "data": {c.data}}
		var out map[string]int
		err := client.OCS(t.Context(), Request{Op: "try", Path: "/ocs/v1.php/x", Query: query}, &out)
		if !errors.Is(err, c.kind) || (err == nil) != (c.kind == nil) || len(out) != len(c.want) || out["a"] != c.want["a"] {
			t.Errorf("%s %s: %v, %v; want %v, %v", c.code, c.data, err, out, c.kind, c.want)
		}
		if asked.Get("format") != "json" || query.Has("format") {
			t.Errorf("asked with %v, the caller's query is %v", asked, query)
		}
	}
}

func TestUserID(t *testing.T) {
	n := 0
	client := overFake(t, always(&n, 200, `{"ocs":{"meta":{"statuscode":200},"data":{"id":"uid-1","display-name":"Old Name","timezone":"Europe/Berlin"}}}`), basic(), nil)
	for range 3 {
		if id, err := client.UserID(t.Context()); err != nil || id != "uid-1" {
			t.Fatal(id, err)
		}
	}
	if n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if u, err := client.CurrentUser(t.Context()); err != nil || u.DisplayName != "Old Name" || u.TimeZone != "Europe/Berlin" {
		t.Errorf("%+v, %v", u, err)
	}
	nobody := overFake(t, always(&n, 200, `{"ocs":{"meta":{"statuscode":200},"data":[]}}`), basic(), nil)
	if _, err := nobody.UserID(t.Context()); !errors.Is(err, ErrBadAnswer) {
		t.Errorf("without a user: %v", err)
	}
}

func FuzzOCSEnvelope(f *testing.F) {
	for _, s := range []string{
		`{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":{"id":"alice"}}}`,
		`{"ocs":{"meta":{"status":"failure","statuscode":997,"message":"Current user is not logged in"},"data":[]}}`,
		`{"ocs":{"meta":{"statuscode":998,"message":"<b>x</b>"}}}`, `{"ocs":[]}`, `[]`, `null`, ``, `<html>`, `{"ocs":{"meta":{"statuscode":"200"}}}`,
	} {
		f.Add(s, 200)
		f.Add(s, 404)
	}
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 || status == http.StatusServiceUnavailable || status == http.StatusLocked {
			t.Skip("no final answer")
		}
		n := 0
		client := overFake(t, always(&n, status, body, "Content-Type", "application/json"), basic(), nil)
		var out struct {
			ID string `json:"id"`
		}
		err := client.OCS(t.Context(), Request{Op: "try", Path: "/ocs/v2.php/x"}, &out)
		if err == nil {
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Kind == nil {
			t.Fatalf("%T %v is no error of a kind", err, err)
		}
		for _, r := range e.Message {
			if unicode.IsControl(r) || r == '<' || r == '>' {
				t.Errorf("the message %q is not plain", e.Message)
			}
		}
	})
}
