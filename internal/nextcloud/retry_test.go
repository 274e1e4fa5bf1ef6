package nextcloud

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetry(t *testing.T) {
	type reply struct {
		status  int
		body    string
		headers []string
	}
	locked := reply{status: 423}
	busy := reply{status: 503, headers: []string{"Retry-After", "1"}}
	for _, c := range []struct {
		name     string
		method   string
		replies  []reply // the last one is repeated
		kind     error   // nil for a success
		requests int
		min, max time.Duration // that it takes
		after    time.Duration // RetryAfter of the error
	}{
		{name: "locked, then free", method: "PUT", replies: []reply{locked, {status: 200}}, requests: 2, min: 200 * time.Millisecond, max: 300 * time.Millisecond},
		{name: "busy, then free", replies: []reply{busy, {status: 200}}, requests: 2, min: time.Second, max: time.Second},
		{name: "locked for good", replies: []reply{locked}, kind: ErrLocked, requests: 5, min: 3 * time.Second, max: 4 * time.Second},
		{name: "busy for good", replies: []reply{busy}, kind: ErrUnavailable, requests: 4, min: 3 * time.Second, max: 4 * time.Second, after: time.Second},
		{name: "busy beyond the budget", replies: []reply{{status: 503, headers: []string{"Retry-After", "120"}}}, kind: ErrUnavailable, requests: 1, after: 2 * time.Minute},
		{name: "slow down", replies: []reply{{status: 429, headers: []string{"Retry-After", "2"}}}, kind: ErrRateLimited, requests: 1, after: 2 * time.Second},
		{name: "maintenance", replies: []reply{{status: 503, headers: []string{"X-Nextcloud-Maintenance-Mode", "1", "Retry-After", "1"}}}, kind: ErrMaintenance, requests: 1, after: time.Second},
		{name: "server error", method: "POST", replies: []reply{{status: 500}}, kind: ErrUnavailable, requests: 1},
		{name: "bad gateway", method: "PUT", replies: []reply{{status: 502}}, kind: ErrUnavailable, requests: 1},
		{name: "conflict", method: "PUT", replies: []reply{{status: 412}}, kind: ErrPrecondition, requests: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				client := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
					a := c.replies[min(n, len(c.replies)-1)]
					n++
					return answer(r, a.status, a.body, a.headers...), nil
				}), basic(), nil)
				start := time.Now()
				_, err := client.Do(t.Context(), Request{Op: "try", Method: c.method, Path: "/x", Body: []byte("{}")})
				if c.kind == nil && err != nil || c.kind != nil && !errors.Is(err, c.kind) {
					t.Fatalf("error = %v, want %v", err, c.kind)
				}
				if n != c.requests {
					t.Errorf("%d requests, want %d", n, c.requests)
				}
				if took := time.Since(start); took < c.min || took > c.max {
					t.Errorf("took %v, want %v to %v", took, c.min, c.max)
				}
				var e *Error
				if errors.As(err, &e) && e.RetryAfter != c.after {
					t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, c.after)
				}
			})
		})
	}
}

func TestRetryEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		client := overFake(t, always(&n, 423, ""), basic(), nil)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := client.Do(ctx, Request{Op: "try", Path: "/x"}); !errors.Is(err, ErrLocked) {
			t.Errorf("error = %v", err)
		}
		if took := time.Since(start); took != 100*time.Millisecond || n != 1 {
			t.Errorf("%d requests in %v", n, took)
		}
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := overFake(t, roundTrips(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), basic(), nil)
		start := time.Now()
		_, err := client.Do(t.Context(), Request{Op: "wait", Path: "/x"})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(e.Kind, ErrUnavailable) || e.Message != "Nextcloud did not answer in time" {
			t.Errorf("error = %v", err)
		}
		if took := time.Since(start); took != requestTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"": 0, "0": 0, "-5": 0, "soon": 0, "7": 7 * time.Second, "99999999": 24 * time.Hour,
			time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat):   90 * time.Second,
			time.Now().Add(-90 * time.Second).UTC().Format(http.TimeFormat):  0,
			time.Now().Add(9000 * time.Hour).UTC().Format(http.TimeFormat):   24 * time.Hour,
			time.Now().Add(90 * time.Second).UTC().Format(time.RFC850 + " "): 0,
		} {
			if got := retryAfter(http.Header{"Retry-After": {value}}); got != want {
				t.Errorf("%q = %v, want %v", value, got, want)
			}
		}
	})
}
