package ldapdb

import (
	"sync/atomic"
	"time"
)

// Stats are figures since the directory was made.
type Stats struct {
	Searches, Binds Requests
	Servers         int       // that are asked in turn
	SetAside        int       // of these, those that are set aside now
	NotAfter        time.Time // when the first certificate of a server ends; zero: none was seen
}

// Requests are the figures of one kind of requests.
type Requests struct {
	Count       uint64
	Errors      uint64        // requests that the directory has not decided
	Took        time.Duration // all together, with waiting for a connection
	Connections int           // now, idle ones included
}

type counters struct{ searches, binds counter }

type counter struct {
	requests, errors atomic.Uint64
	took             atomic.Int64
}

// count counts a request that began at a time. Call it deferred, with the address of the request's error.
func (c *counter) count(began time.Time, err *error) {
	c.requests.Add(1)
	c.took.Add(int64(time.Since(began)))
	if *err != nil {
		c.errors.Add(1)
	}
}

func (c *counter) read(p *pool) Requests {
	return Requests{c.requests.Load(), c.errors.Load(), time.Duration(c.took.Load()), p.connections()}
}

// Stats returns the figures.
func (d *DB) Stats() Stats {
	return Stats{
		Searches: d.stats.searches.read(d.searches),
		Binds:    d.stats.binds.read(d.binds),
		Servers:  len(d.targets),
		SetAside: len(d.targets) - len(d.ready(nil)),
		NotAfter: d.firstEnd(),
	}
}
