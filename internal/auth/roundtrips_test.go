package auth

import (
	"fmt"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"mailauthd/internal/authhttp"
)

// A login that fails takes as many round trips to Redis whether there is such a user, alias or address with an extension, and
// whether the password was right, because a round trip takes time.
func TestRoundTripsDoNotTell(t *testing.T) {
	a, _ := newDBAuth(t)
	withThrottle(t, a, nil)
	share(t, a, miniredis.RunT(t))()
	redis := a.throttle.SharedBy()
	for i, tt := range []struct{ user, password string }{
		{nora, "wrong"}, {"nora+shop@db.example", "wrong"},
		{dora, "wrong"}, {"info@db.example", "wrong"}, {"dora+cart@db.example", "wrong"}, {"dora+shop@db.example", "wrong"},
		{"out@db.example", right}, {"exit@db.example", right}, {"out@db.example", "wrong"}, {"null@db.example", "wrong"},
	} {
		before := redis.RoundTrips()
		response, _ := answer(t, a, from(fmt.Sprintf("198.51.100.%d", i), tt.user, tt.password))
		if n := redis.RoundTrips() - before; response.Outcome != authhttp.Reject || n != 3 {
			t.Errorf("%s with a %s password: %v after %d round trips, want 3", tt.user, map[bool]string{false: "wrong", true: "right"}[tt.password == right], response.Outcome, n)
		}
	}
	before := redis.RoundTrips()
	for range 2 { // the second one changes nothing in Redis
		answer(t, a, from("198.51.100.99", dora, right))
	}
	if n := redis.RoundTrips() - before; n != 3 {
		t.Errorf("two logins that were let in took %d round trips, want 3", n)
	}
}
