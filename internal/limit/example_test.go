package limit_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"mailauthd/internal/limit"
)

func ExampleLimiter_Acquire() {
	group := limit.NewGroup(limit.Bounds{Callers: 100})
	server := group.NewLimiter(limit.Config{Slots: 1, Waiting: 10})
	client := limit.Client{Network: netip.MustParsePrefix("192.0.2.1/32"), Known: true}

	slot, err := server.Acquire(context.Background(), time.Second, client)
	fmt.Println(err)
	_, err = server.Acquire(context.Background(), time.Millisecond, client)
	fmt.Println(err)
	slot.Release()
	fmt.Println(group.Callers())
	// Output:
	// <nil>
	// gave up waiting: context deadline exceeded
	// 0 0
}
