package nextcloud

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

const envelopeOK = `{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":`

func TestApps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		c := overFake(t, always(&requests, 200, envelopeOK+`{"apps":["files","spreed"]}}}`), basic(), &ClientOptions{UserID: "alice"})
		if c.KnownApps() != nil {
			t.Error("apps are known before they were asked for")
		}
		for range 3 {
			apps, err := c.Apps(t.Context())
			if err != nil || !apps.Has("spreed") || apps.Has("deck") {
				t.Fatalf("%+v, %v", apps, err)
			}
		}
		if requests != 1 || c.KnownApps() == nil {
			t.Errorf("%d requests", requests)
		}
		time.Sleep(appsAge + time.Second)
		if c.KnownApps() != nil {
			t.Error("what was found out a minute ago is still taken for true")
		}
		if _, err := c.Apps(t.Context()); err != nil || requests != 2 {
			t.Errorf("%d requests, %v", requests, err)
		}
	})
}

// TestAppsOfOlderServers: only administrators may ask for the list there.
func TestAppsOfOlderServers(t *testing.T) {
	c := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
		switch r.URL.Path {
		case "/nc/ocs/v2.php/cloud/user/apps":
			return answer(r, 404, `{"ocs":{"meta":{"status":"failure","statuscode":998,"message":"Invalid query"},"data":[]}}`, "Content-Type", "application/json"), nil
		case "/nc/ocs/v2.php/core/navigation/apps":
			return answer(r, 200, envelopeOK+`[{"id":"mail","app":"mail"},{"id":"deck-x"}]}}`), nil
		case "/nc/ocs/v2.php/cloud/capabilities":
			return answer(r, 200, envelopeOK+`{"capabilities":{"spreed":{},"tables":[]}}}}`), nil
		}
		t.Errorf("asked for %s", r.URL.Path)
		return answer(r, 404, ""), nil
	}), basic(), &ClientOptions{UserID: "alice"})
	apps, err := c.Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"mail": true, "spreed": true, "tables": true, "news": false} {
		if got := apps.Has(id); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func TestAppsFail(t *testing.T) {
	for body, status := range map[string]int{
		"":                  500,
		envelopeOK + `[]}}`: 200,
		`{"ocs":{"meta":{"status":"failure","statuscode":997,"message":""},"data":[]}}`: 401,
	} {
		requests := 0
		c := overFake(t, always(&requests, status, body, "Content-Type", "application/json"), basic(), &ClientOptions{UserID: "alice"})
		if apps, err := c.Apps(t.Context()); err == nil || c.KnownApps() != nil {
			t.Errorf("%d %s: %v", status, body, apps)
		} else if status == 401 && !errors.Is(err, ErrUnauthenticated) {
			t.Error(err)
		}
	}
}
