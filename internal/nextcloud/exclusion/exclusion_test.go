package exclusion_test

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// client is alice's client of a simulated Nextcloud.
func client(t *testing.T, sim *nextcloudtest.Server) *nextcloud.Client {
	t.Helper()
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)
	base, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	return nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Basic{LoginName: "alice", Password: "alice-password-1"}, &nextcloud.ClientOptions{UserID: "alice"})
}

func TestNothing(t *testing.T) {
	for _, tags := range [][]string{nil, {}, {" ", ""}} {
		rule := exclusion.New(tags)
		set, err := rule.Excluded(t.Context(), nil) // no client: nothing is asked
		if rule != nil || err != nil || set.Hides("/a") || set.HidesBelow("/") || set.HidesID(1) {
			t.Errorf("%q: %v, %v", tags, rule, err)
		}
		rule.Forget(t.Context(), nil)
	}
}

func TestHides(t *testing.T) {
	sim := nextcloudtest.New(nil)
	for _, name := range []string{"Secret/in.txt", "Secret plan/x.txt", "Grüße/ä & #1 50%.txt", "deep/er/file.txt", "a.txt"} {
		sim.AddFile("alice", name, []byte("x"))
	}
	sim.AddTag("alice", "one", "Secret", "Grüße/ä & #1 50%.txt")
	sim.AddTag("alice", "Two words", "deep/er/file.txt")
	set, err := exclusion.New([]string{" one", "two words", "one"}).Excluded(t.Context(), client(t, sim))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/Secret": true, "Secret": true, "/Secret/": true, "/Secret/in.txt": true, "/Secret/a/b/c": true, "/secret/IN.txt": true,
		"//Secret//in.txt": true, "/./Secret": true, "/a/../Secret/x": true, `\Secret\in.txt`: true, `/a.txt/..\Secret`: true,
		"/Gru\u0308ße/a\u0308 & #1 50%.txt": true, "/grüsse/x": false, "/Grüße": false, "/Grüße/other.txt": false,
		"/deep/er/file.txt": true, "/deep/er": false, "/deep": false,
		"/Secret plan/x.txt": false, "/Secre": false, "/": false, "": false, "/a.txt": false, "/x/Secret": false,
	} {
		if got := set.Hides(path); got != want {
			t.Errorf("Hides(%q) = %v", path, got)
		}
	}
	for path, want := range map[string]bool{
		"/": true, "": true, "/deep": true, "/deep/er/": true, "/Grüße": true, "/Secret": false, "/Secret plan": false, "/dee": false, "/deep/er/file.txt": false,
	} {
		if got := set.HidesBelow(path); got != want {
			t.Errorf("HidesBelow(%q) = %v", path, got)
		}
	}
	if !set.HidesID(int64(sim.FileID("alice", "Secret"))) || set.HidesID(int64(sim.FileID("alice", "a.txt"))) {
		t.Error("ids")
	}
}

// TestFresh: a look-up is good for ten seconds, and until it is forgotten.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := nextcloudtest.New(nil)
		sim.AddFile("alice", "a.txt", []byte("x"))
		sim.AddTag("alice", "one")
		base, err := url.Parse("http://cloud.example")
		if err != nil {
			t.Fatal(err)
		}
		nc := nextcloud.New(nextcloud.NewHost(base, &nextcloud.HostOptions{Transport: direct{sim}}), nextcloud.Basic{LoginName: "alice", Password: "alice-password-1"}, &nextcloud.ClientOptions{UserID: "alice"})
		rule := exclusion.New([]string{"one"})
		hides := func() bool {
			t.Helper()
			set, err := rule.Excluded(t.Context(), nc)
			if err != nil {
				t.Fatal(err)
			}
			return set.Hides("/a.txt")
		}
		if hides() {
			t.Error("hidden without a tag")
		}
		sim.AddTag("alice", "one", "a.txt")
		time.Sleep(9 * time.Second)
		if hides() {
			t.Error("it is asked again too soon")
		}
		time.Sleep(2 * time.Second)
		if !hides() {
			t.Error("it is not asked again")
		}
		sim.AddFile("alice", "b.txt", []byte("x"))
		sim.AddTag("alice", "one", "b.txt")
		rule.Forget(t.Context(), nc)
		if set, err := rule.Excluded(t.Context(), nc); err != nil || !set.Hides("/b.txt") {
			t.Errorf("after Forget: %v", err)
		}
		// Another rule does not take the look-up of this one.
		if _, err := exclusion.New([]string{"other"}).Excluded(t.Context(), nc); !errors.Is(err, nextcloud.ErrUnavailable) {
			t.Errorf("a tag that is not there: %v", err)
		}
	})
}
