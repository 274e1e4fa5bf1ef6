package storetest

import (
	"crypto/sha256"
	"testing"
	"time"
)

func testEndedToken(t *testing.T, s Store, clock *Clock) {
	ended, other := sha256.Sum256([]byte("ended")), sha256.Sum256([]byte("other"))
	check := func(when string, hash [sha256.Size]byte, want bool) {
		t.Helper()
		got, err := s.TokenEnded(t.Context(), hash)
		if err != nil || got != want {
			t.Errorf("%s: ended %v, %v; want %v", when, got, err, want)
		}
	}
	check("before", ended, false)
	until := clock.Now().Add(time.Hour)
	for _, end := range []time.Time{until, until.Add(-time.Minute)} { // the later end counts
		if err := s.EndToken(t.Context(), ended, end); err != nil {
			t.Fatal(err)
		}
	}
	check("after", ended, true)
	check("another token", other, false)
	clock.Advance(time.Hour - time.Second)
	check("shortly before its end", ended, true)
	clock.Advance(2 * time.Second)
	check("after its end", ended, false)
	if err := s.EndToken(t.Context(), other, clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	check("another token later", other, true)
}
