package oauth_test

import (
	"net/http"
	"testing"

	"nextcloud-mcp-server/internal/store"
)

// BenchmarkRefresh is the token endpoint with refresh tokens, over SQLite.
func BenchmarkRefresh(b *testing.B) {
	r := newRig(b)
	_, a := r.signIn(b, "alice")
	for b.Loop() {
		if a = r.token(b, refresh(a.RefreshToken, app)); a.status != http.StatusOK {
			b.Fatalf("%+v", a)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkRefreshParallel(b *testing.B) {
	r := newRig(b)
	g := r.connect(b, "alice", app, all)
	b.RunParallel(func(pb *testing.PB) {
		a := r.begin(b, g)
		for pb.Next() {
			if a = r.token(b, refresh(a.RefreshToken, app)); a.status != http.StatusOK {
				b.Errorf("%+v", a)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkCode is the token endpoint with codes; making the code is part of it.
func BenchmarkCode(b *testing.B) {
	r := newRig(b)
	g := r.connect(b, "alice", app, all)
	for b.Loop() {
		r.begin(b, g)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkCodeParallel(b *testing.B) {
	r := newRig(b)
	g := r.connect(b, "alice", app, all)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.begin(b, g)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// begin makes a code without the authorization endpoint and redeems it.
func (r *rig) begin(b *testing.B, g store.Grant) answer {
	b.Helper()
	to, err := r.Approve(b.Context(), r.request(), g, notes)
	if err != nil {
		b.Error(err)
		return answer{}
	}
	a := r.token(b, redeem(queryOf(b, to).Get("code"), app))
	if a.status != http.StatusOK {
		b.Errorf("%+v", a)
	}
	return a
}

func BenchmarkVerify(b *testing.B) {
	r := newRig(b)
	_, a := r.signIn(b, "alice")
	for b.Loop() {
		if _, err := r.Verify(b.Context(), a.AccessToken); err != nil {
			b.Fatal(err)
		}
	}
}
