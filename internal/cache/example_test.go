package cache_test

import (
	"fmt"
	"time"

	"mailauthd/internal/cache"
)

func Example() {
	c := cache.New(cache.Config{Size: 1000, TTL: time.Hour, NegativeTTL: time.Minute})
	now := time.Now()
	key := c.Key("server axigen1 imap", "bob@domain1.com", "secret")

	epoch := c.Epoch()
	// Here the mail server is asked, which accepts the password.
	c.Store(key, "bob@domain1.com", cache.Answer{Good: true}, epoch, now)

	answer, found := c.Lookup(key, now.Add(time.Minute))
	fmt.Println(found == cache.Hit, answer.Good)
	_, found = c.Lookup(key, now.Add(2*time.Hour))
	fmt.Println(found == cache.Miss)
	// Output:
	// true true
	// true
}
