package nextcloud

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const envelopeOK = `{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":`

// menu answers what Apps asks.
func menu(t *testing.T, requests *atomic.Int32, entries, capabilities string) roundTrips {
	t.Helper()
	return func(r *http.Request) (*http.Response, error) {
		requests.Add(1)
		switch r.URL.Path {
		case "/nc/ocs/v2.php/core/navigation/apps":
			return answer(r, 200, envelopeOK+entries+`}}`), nil
		case "/nc/ocs/v2.php/cloud/capabilities":
			return answer(r, 200, envelopeOK+`{"capabilities":`+capabilities+`}}}`), nil
		}
		t.Errorf("asked for %s", r.URL.Path)
		return answer(r, 404, ""), nil
	}
}

func TestApps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		c := overFake(t, menu(t, &requests, `[{"id":"mail","app":"mail"},{"id":"deck-x"}]`, `{"spreed":{},"tables":[]}`), basic(), &ClientOptions{UserID: "alice"})
		if c.KnownApps() != nil {
			t.Error("apps are known before they were asked for")
		}
		for range 3 {
			apps, err := c.Apps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for id, want := range map[string]bool{"mail": true, "spreed": true, "tables": true, "news": false} {
				if apps.Has(id) != want {
					t.Errorf("%s: %v", id, !want)
				}
			}
		}
		if requests.Load() != 2 || c.KnownApps() == nil {
			t.Errorf("%d requests", requests.Load())
		}
		time.Sleep(appsAge + time.Second)
		if c.KnownApps() != nil {
			t.Error("what was found out a minute ago is still taken for true")
		}
		if _, err := c.Apps(t.Context()); err != nil || requests.Load() != 4 {
			t.Errorf("%d requests, %v", requests.Load(), err)
		}
	})
}

func TestAppsFail(t *testing.T) {
	var requests atomic.Int32
	for name, rt := range map[string]roundTrips{
		"empty menu": menu(t, &requests, `[]`, `{"spreed":{}}`),
		"no OCS":     func(r *http.Request) (*http.Response, error) { return answer(r, 500, ""), nil },
	} {
		c := overFake(t, rt, basic(), &ClientOptions{UserID: "alice"})
		if apps, err := c.Apps(t.Context()); err == nil || c.KnownApps() != nil {
			t.Errorf("%s: %v", name, apps)
		}
	}
	refused := roundTrips(func(r *http.Request) (*http.Response, error) {
		return answer(r, 401, `{"ocs":{"meta":{"status":"failure","statuscode":997,"message":""},"data":[]}}`, "Content-Type", "application/json"), nil
	})
	c := overFake(t, refused, basic(), &ClientOptions{UserID: "alice"})
	if _, err := c.Apps(t.Context()); !errors.Is(err, ErrUnauthenticated) {
		t.Error(err)
	}
}
