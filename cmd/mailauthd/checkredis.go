package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/redisdb"
	"mailauthd/internal/throttle"
)

// checkRedis connects to Redis, and tries what the service does there. It reports whether all works.
func (c *call) checkRedis(config *redisdb.Config) bool {
	if config == nil {
		return true
	}
	r, err := redisdb.Inspect(context.Background(), *config, throttle.Try)
	fmt.Fprintln(c.stdout)
	where := "redis " + strings.Join(config.Addresses, ", ")
	if r.Master != "" {
		where += ", master " + r.Master
	}
	if err != nil {
		fmt.Fprintf(c.stdout, "%s: %s\n", where, authlog.Escape(err.Error()))
		return false
	}
	server, role := "an unknown version", "an unknown role"
	if r.Server != "" {
		server = r.Server
	}
	if r.Role != "" {
		role = strings.Replace(r.Role, "slave", "replica", 1)
	}
	fmt.Fprintf(c.stdout, "%s: OK: %s, %s, a round trip took %v\n", where, authlog.Escape(server), authlog.Escape(role), r.RoundTrip.Round(time.Microsecond))
	for _, w := range r.Warnings {
		fmt.Fprintln(c.stderr, "warning: redis:", authlog.Escape(w))
	}
	return true
}
