package throttle_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"mailauthd/internal/throttle"
)

func Example() {
	config := throttle.Defaults()
	config.PairLimit = 3
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	t, err := throttle.New(config, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, bob := netip.MustParseAddr("192.0.2.42"), "bob@domain1.com"
	for _, guess := range []string{"123456", "password", "qwerty", "letmein"} {
		v := t.Allow(context.Background(), client, bob, now)
		fmt.Printf("%v %v %q\n", v.Allowed, v.Penalty.Round(time.Second), v.Over)
		if v.Allowed {
			t.Fail(context.Background(), client, bob, guess, now)
		}
	}
	later := t.Allow(context.Background(), client, bob, now.Add(time.Hour))
	fmt.Println(later.Allowed)
	// Output:
	// true 2s ""
	// true 4s ""
	// true 8s ""
	// false 15s "pair"
	// true
}
