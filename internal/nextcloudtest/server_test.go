package nextcloudtest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRequestLog(t *testing.T) {
	s := New(nil)
	ask(t, s, http.MethodGet, whoAmI, "", "Authorization", basic("alice", "alice-password-1"), "OCS-APIRequest", "true", "User-Agent", "test/1")
	ask(t, s, http.MethodPost, "/index.php/login/v2", "")
	got := s.Requests()
	if len(got) != 2 {
		t.Fatalf("%d requests, want 2", len(got))
	}
	want := Request{Time: got[0].Time, Method: "GET", Path: "/ocs/v2.php/cloud/user", Status: 200, User: "alice", Auth: "Basic", OCSHeader: true, UserAgent: "test/1"}
	if got[0] != want {
		t.Errorf("logged %+v, want %+v", got[0], want)
	}
	if n := s.CountRequests("POST", "/index.php/login"); n != 1 {
		t.Errorf("%d logins counted, want 1", n)
	}
	s.ResetRequests()
	if s.RequestCount() != 0 || len(s.Requests()) != 0 {
		t.Error("the log is not empty after a reset")
	}
	for range maxRequests + 1 {
		s.log.add(Request{})
	}
	if len(s.Requests()) > maxRequests || s.RequestCount() != maxRequests+1 {
		t.Errorf("%d entries kept of %d", len(s.Requests()), s.RequestCount())
	}
}

func TestSampleDataOption(t *testing.T) {
	for _, sample := range []bool{false, true} {
		s := New(&Options{SampleData: sample})
		body := ask(t, s, http.MethodGet, notesList, "", "Authorization", basic("alice", "alice-password-1")).Body.String()
		if got := strings.Contains(body, `"title"`); got != sample {
			t.Errorf("SampleData %v: notes %.200s", sample, body)
		}
	}
}

func TestOCSFormats(t *testing.T) {
	s := New(nil)
	get := func(target string) (int, string) {
		answer := ask(t, s, http.MethodGet, target, "", "Authorization", basic("admin", "admin-password-1"), "OCS-APIRequest", "true")
		return answer.Code, answer.Body.String()
	}
	_, xmlText := get("/ocs/v2.php/cloud/users")
	if want := "  <users>\n   <element>admin</element>\n   <element>alice</element>"; !strings.Contains(xmlText, want) {
		t.Errorf("XML %s lacks %s", xmlText, want)
	}
	if code, body := get("/ocs/v1.php/cloud/users/nobody?format=json"); code != http.StatusOK || !strings.Contains(body, `"statuscode":404`) {
		t.Errorf("v1 reports an error as %d %s, want 200 with the code inside", code, body)
	}
	if code, body := get("/ocs/v1.php/cloud/user?format=json"); code != http.StatusOK || !strings.Contains(body, `"statuscode":100`) {
		t.Errorf("v1 reports success as %d %s", code, body)
	}
	if code, _ := get("/ocs/v2.php/cloud/users/nobody?format=json"); code != http.StatusNotFound {
		t.Errorf("v2 reports an error as %d, want 404", code)
	}
}

func TestPHPJSON(t *testing.T) {
	if got, want := string(phpJSON("a/b é 😀 <")), `"a\/b \u00e9 \ud83d\ude00 <"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestListen(t *testing.T) {
	s := New(nil)
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Listen(ctx, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(ctx, "127.0.0.1:0"); !errors.Is(err, errListening) {
		t.Errorf("second Listen: %v", err)
	}
	if _, body, err := fetch(t, s, "/.well-known/openid-configuration"); err != nil || !strings.Contains(body, strings.ReplaceAll(s.URL(), "/", `\/`)) {
		t.Errorf("discovery does not name %s: %v", s.URL(), err)
	}
	done := s.opened.done
	cancel()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("still listening after the context ended")
	}
}

func TestRules(t *testing.T) {
	for version, want := range map[string]time.Duration{
		"30.0.1": 0, "30.0.2": 5 * time.Minute, "31.0.0": 5 * time.Minute, "31.0.3": 0, "31.0.2": 5 * time.Minute, "32.0.0": 0, "34.0.1": 0, "nonsense": 0,
	} {
		if got := rulesOf(version).exchangedLife; got != want {
			t.Errorf("%s: exchanged passwords live %v, want %v", version, got, want)
		}
	}
}
