package bearer

import "testing"

func BenchmarkVerifyCached(b *testing.B) {
	v := newVerifier(standardProvider())
	token := goodToken()
	ctx := b.Context()
	if _, err := v.Verify(ctx, token); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyJWT(b *testing.B) {
	v := newVerifier(standardProvider())
	token := goodToken()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		v.Forget(token)
		if _, err := v.Verify(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}
