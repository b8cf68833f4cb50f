package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// Stats are figures of a database since the start.
type Stats struct {
	Queries uint64        // lookups that reached the database, or tried to
	Errors  uint64        // those of them that failed
	Time    time.Duration // of all of them
	Open    int           // connections
	Busy    int           // connections that a query uses
	Max     int           // the largest number of connections
}

type counters struct{ queries, errors, nanoseconds atomic.Uint64 }

func (c *counters) count(d time.Duration, err error) {
	c.queries.Add(1)
	c.nanoseconds.Add(uint64(d))
	if err != nil {
		c.errors.Add(1)
	}
}

// Stats returns the figures.
func (d *DB) Stats() Stats {
	s := Stats{
		Queries: d.queries.Load(),
		Errors:  d.errors.Load(),
		Time:    time.Duration(d.nanoseconds.Load()),
		Max:     d.MaxConnections,
	}
	s.Open, s.Busy = d.client.connections()
	return s
}

// run runs a query for a user before the deadline. It repeats the query once if the connection was stale. It goes on when
// the client has gone: drivers close the connection of a query that is cancelled, and a client must not be able to make
// us connect anew again and again.
func (d *DB) run(ctx context.Context, q query, user string, limit int) (*result, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("passdb %q: %w", d.Name, err)
	}
	deadline := time.Now().Add(d.Timeout)
	if t, ok := ctx.Deadline(); ok && t.Before(deadline) {
		deadline = t
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	args := q.template.Args(user)
	begin := time.Now()
	r, err := d.client.query(ctx, q.text, args, limit)
	if err != nil && ctx.Err() == nil && d.client.stale(err) {
		d.client.reset()
		r, err = d.client.query(ctx, q.text, args, limit)
	}
	if err != nil && !isASCII(user) && d.client.unstorable(err) {
		r, err = newResult(nil), nil // a client must not be able to cause errors with such a name
	}
	d.count(time.Since(begin), err)
	if err != nil {
		failed := ErrQuery
		if concernsValue(d.client.state(err)) {
			failed = errValue
		}
		return nil, fmt.Errorf("passdb %q: %s%w: %s", d.Name, q.label, failed, d.describe(ctx, err, args))
	}
	return r, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// describe describes an error without secrets.
func (d *DB) describe(ctx context.Context, err error, args []any) string {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		_, busy := d.client.connections()
		return fmt.Sprintf("no answer in time (timeout = %v, max_connections = %d, of which %d are in use)", d.Timeout, d.MaxConnections, busy)
	}
	text := d.client.explain(err)
	for _, arg := range args {
		if s, ok := arg.(string); ok && s != "" && strings.Contains(text, s) {
			return "the database's message quotes a parameter, and is left out"
		}
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

// withoutSecret returns a text unless it contains the password of the connection.
func withoutSecret(text, secret string) string {
	if secret != "" && strings.Contains(text, secret) {
		return "the message contains the password of the connection, and is left out"
	}
	return text
}

// serverError describes an error that the server reported.
func serverError(state, message string) string {
	if concernsValue(state) {
		return fmt.Sprintf("SQLSTATE %s (the message is left out, because it may quote a value)", state)
	}
	return fmt.Sprintf("SQLSTATE %s: %s", state, message)
}

// concernsValue reports whether an SQLSTATE is that of an error about a value. Messages of data errors (class 22) and of
// constraints (23) quote values; functions of the database may raise any message (45 and P0).
func concernsValue(state string) bool {
	return len(state) == 5 && slices.Contains([]string{"22", "23", "45", "P0"}, state[:2])
}
