package redisdb

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Keep connects to Redis, and connects again whenever it was set aside, until ctx ends. It also listens to announcements.
// When it returns, the handler is called no more.
func (c *Client) Keep(ctx context.Context) {
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() { c.listen(ctx) })
	var pause time.Duration
	var used time.Time // since when
	for ctx.Err() == nil {
		if !c.up.Load() {
			// A Redis that answers here, but not the logins in time, would be set aside by each of them.
			if pause = min(max(2*pause, MinRetry), MaxRetry); time.Since(used) > MaxRetry {
				pause = 0
			}
			wait(ctx, pause)
			c.reconnect(ctx)
			used = time.Now()
		}
		select {
		case <-ctx.Done():
		case <-c.wake:
			if c.up.Load() {
				c.tend(ctx, false)
			}
		case <-time.After(CheckInterval):
			if c.up.Load() {
				c.tend(ctx, true)
			}
		}
	}
}

// tend brings in what is pending, and if look is true looks at the site.
func (c *Client) tend(ctx context.Context, look bool) {
	var err error
	if look {
		err = c.Look(ctx)
	}
	if err == nil && c.up.Load() {
		err = c.bringIn(ctx)
	}
	if err != nil && ctx.Err() == nil {
		c.setAside(err)
	}
}

// reconnect tries until Redis answers and has got what was missing.
func (c *Client) reconnect(ctx context.Context) {
	for retry := MinRetry; ; retry = min(2*retry, MaxRetry) {
		err := c.Look(ctx)
		if err == nil {
			err = c.bringIn(ctx)
		}
		if err == nil && !c.change(Change{Up: true}) {
			err = errLost
		}
		if err == nil {
			c.Pending() // what came in between
			return
		}
		if ctx.Err() != nil {
			return
		}
		c.change(Change{Err: explain(err)})
		wait(ctx, retry/2+rand.N(retry))
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// bringIn sends what Redis lacks. It begins again if Redis loses its data meanwhile, because a login that is let to Redis
// before the lost counters are back would take over what is left of them.
func (c *Client) bringIn(ctx context.Context) error {
	if err := c.sendOutbox(ctx); err != nil {
		return err
	}
	for again := true; again; {
		c.mu.Lock()
		bringIn, lost := c.back, c.lost
		c.lost = false
		c.mu.Unlock()
		if bringIn == nil {
			return nil
		}
		err := bringIn(ctx, lost)
		c.mu.Lock()
		again = c.lost
		c.lost = c.lost || err != nil && lost
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) setAside(err error) {
	if c.up.Load() {
		c.change(Change{Err: explain(err)})
		c.Pending()
	}
}

// change changes the state, and tells the handler unless it was the same before. It reports whether it could: Redis is not
// used while it lacks what it has lost.
func (c *Client) change(to Change) bool {
	c.changing.Lock()
	defer c.changing.Unlock()
	c.mu.Lock()
	if to.Up && c.lost && c.back != nil {
		c.mu.Unlock()
		return false
	}
	same := c.state != Change{} && c.state.Up == to.Up
	if !same {
		c.since = time.Now()
	}
	c.state = to
	c.up.Store(to.Up)
	c.mu.Unlock()
	if !same {
		c.handler.Changed(to)
	}
	return true
}
