package auth

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authlog"
	"mailauthd/internal/password"
	"mailauthd/internal/users"
)

// BenchmarkRefusal measures the whole decision for three logins that a client must not be able
// to tell apart by the time of the answer: medians over 2,000 tries each, by turns.
//
//	unknown-ns   there is no such user
//	wrong-ns     the password is wrong
//	disabled-ns  it is right, but of a user with nologin
//	diff-%       between the first two, of the second
//
// The best of several rounds counts, for on a busy machine single ones lie. It fails only if the
// difference is there in all of them.
func BenchmarkRefusal(b *testing.B) {
	for _, bb := range []struct {
		scheme string
		rounds int
	}{
		{"PLAIN", 0},
		{"SSHA512", 0},
		{"PBKDF2", 100},
		{"SHA512-CRYPT", 1000},
	} {
		b.Run(bb.scheme, func(b *testing.B) { benchmarkRefusal(b, bb.scheme, bb.rounds) })
	}
}

const (
	maxDifference = 5 // percent
	moreRounds    = 5 // before a difference is taken for real
)

func benchmarkRefusal(b *testing.B, scheme string, rounds int) {
	a, logins := newRefusals(b, scheme, rounds)
	var best refusals
	least := math.Inf(1)
	round := func() {
		if r := measureRefusals(b, a, logins); r.difference() < least {
			best, least = r, r.difference()
		}
	}
	for b.Loop() {
		round()
	}
	for i := 0; i < moreRounds && least >= maxDifference; i++ {
		round()
	}
	for i, login := range logins {
		b.ReportMetric(float64(best[i]), login.name+"-ns")
	}
	b.ReportMetric(least, "diff-%")
	b.ReportMetric(0, "ns/op")
	if least >= maxDifference {
		b.Fatalf("an unknown user takes %v, a wrong password %v: they differ by %.1f%%", best[0], best[1], least)
	}
}

// refusals are the medians of unknown, wrong and disabled.
type refusals [3]time.Duration

// difference is that of an unknown user to a wrong password. A disabled user, whose password
// must be right to tell, is shown beside them.
func (r refusals) difference() (percent float64) {
	return 100 * math.Abs(float64(r[0]-r[1])) / float64(r[1])
}

type refusal struct {
	name   string
	header http.Header
	reason authlog.Reason
}

// newRefusals has a domain of a hundred users, so that there are as many stand-ins for unknown
// ones as there can be.
func newRefusals(b *testing.B, scheme string, rounds int) (*Authenticator, [3]refusal) {
	b.Helper()
	list := []users.User{{Name: "closed@users.example", Extra: &users.Settings{Access: access.Rules{NoLogin: new(true)}}}}
	for i := range 100 {
		list = append(list, users.User{Name: fmt.Sprintf("user%d@users.example", i)})
	}
	for i := range list {
		made, err := password.Make(scheme, list[i].Name, right, rounds)
		if err != nil {
			b.Fatal(err)
		}
		list[i].Passwords = []users.Password{{Hash: hashOf(b, made)}}
	}
	a := newAuth(b)
	a.Now = time.Now
	guess := wrong + strings.Repeat("x", len(right)-len(wrong)) // a longer one may take longer
	var err error
	if a.Directory, err = users.New(list); err != nil {
		b.Fatal(err)
	}
	return a, [3]refusal{
		{"unknown", ask{user: "user99x@users.example", pass: guess}.header(), authlog.UserUnknown},
		{"wrong", ask{user: "user42@users.example", pass: guess}.header(), authlog.PasswordMismatch},
		{"disabled", ask{user: "closed@users.example", pass: right}.header(), authlog.UserDisabled},
	}
}

func measureRefusals(b *testing.B, a *Authenticator, logins [3]refusal) (medians refusals) {
	const tries = 2000
	var times [3][tries]time.Duration
	for n := range tries {
		for i := range logins {
			i = (i + n) % len(logins) // none is always the first
			start := time.Now()
			_, event := a.Answer(b.Context(), logins[i].header)
			times[i][n] = time.Since(start)
			if event.Reason != logins[i].reason {
				b.Fatalf("%s: %s %s", logins[i].name, event.Reason, event.Error)
			}
		}
	}
	for i := range times {
		slices.Sort(times[i][:])
		medians[i] = times[i][tries/2]
	}
	return medians
}
