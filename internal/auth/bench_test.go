package auth

import (
	"testing"
	"time"

	"mailauthd/internal/authhttp"
)

// BenchmarkAnswer is one good login of a user with a {PLAIN} password: the decision
// alone, without wire and log.
func BenchmarkAnswer(b *testing.B) {
	a := newAuth(b)
	a.Now = time.Now
	h := ask{user: "alice@users.example", pass: right}.header()
	b.ReportAllocs()
	for b.Loop() {
		if r, _ := a.Answer(b.Context(), h); r.Outcome != authhttp.OK {
			b.Fatal(r.Status())
		}
	}
}
