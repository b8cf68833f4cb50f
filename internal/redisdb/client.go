package redisdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Client shares state with other machines. It is safe for concurrent use.
type Client struct {
	config  Config
	secrets secrets
	handler Handler
	db      redis.UniversalClient
	slots   chan struct{} // for the calls of logins

	up         atomic.Bool
	wake       chan struct{} // Keep has something to do
	roundTrips atomic.Int64

	looking  sync.Mutex // held during a look, so that two do not see the same change
	changing sync.Mutex // held during a change, the handler included

	known atomic.Pointer[site] // as last seen; nil before the first look

	mu     sync.Mutex // of what follows, and of changes of known
	lost   bool       // whether Redis has lost data that back has not brought in again
	back   func(ctx context.Context, lost bool) error
	outbox []string // announcements that Redis has not got
	state  Change   // the last one
	since  time.Time
}

// Handler is told what happens. Its functions must not call the client.
type Handler struct {
	Announced func(topic, value string) // by this machine or another
	Missed    func()                    // announcements may have been missed
	Changed   func(Change)
}

// Change is a change of whether Redis is used.
type Change struct {
	Up  bool
	Err error // why Redis was set aside
}

// Errors that a login meets while Redis cannot be asked. They do not set Redis aside.
var (
	ErrSetAside = errors.New("redis is set aside")
	ErrBusy     = errors.New("no connection to redis is free")
)

// New makes a client, which opens no connection before [Client.Keep] is called.
func New(c Config, h Handler) *Client {
	if h.Missed == nil {
		h.Missed = func() {}
	}
	if h.Announced == nil {
		h.Announced = func(string, string) {}
	}
	if h.Changed == nil {
		h.Changed = func(Change) {}
	}
	return &Client{
		config:  c,
		secrets: newSecrets(c.Secret),
		handler: h,
		db:      connect(c),
		slots:   make(chan struct{}, MaxConnections),
		wake:    make(chan struct{}, 1),
		since:   time.Now(),
	}
}

// Config returns the configuration of the client.
func (c *Client) Config() Config { return c.config }

// Up reports whether Redis is used, and since when.
func (c *Client) Up() (up bool, since time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Up, c.since, c.state.Err
}

// RoundTrips returns the number of calls that logins have made.
func (c *Client) RoundTrips() int64 { return c.roundTrips.Load() }

// Key returns the name of a key.
func (c *Client) Key(name string) string { return c.config.Prefix + "{1}:" + name }

// OnBack sets the function that brings in what has happened while Redis was set aside. It is called before Redis is used
// again, and after [Client.Pending]. Lost is true if Redis has lost data since it was last used.
func (c *Client) OnBack(bringIn func(ctx context.Context, lost bool) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.back = bringIn
}

// Pending asks for a call of the function set by OnBack, because there is something to bring in.
func (c *Client) Pending() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Script is a Lua script. Its first results must be the id of the site, whose key is its last key, and the number of writes
// before and after the script.
type Script struct{ *redis.Script }

// NewScript makes a script.
func NewScript(lua string) *Script { return &Script{redis.NewScript(lua)} }

// Call is one run of a script.
type Call struct {
	Script *Script
	Keys   []string
	Args   []any
}

// Run runs a script for a login, and returns its results without those about the site. All calls with a context of
// [Client.Bound] take no longer than Timeout together. An error other than ErrSetAside, ErrBusy and the end of ctx has set
// Redis aside.
func (c *Client) Run(ctx context.Context, call Call) ([]any, error) {
	known := c.known.Load() // before up, because Look changes it after up
	if !c.up.Load() {
		return nil, ErrSetAside
	}
	spent := spentIn(ctx)
	left := c.config.Timeout - time.Duration(spent.Load())
	if left <= 0 {
		return nil, ErrBusy
	}
	begin := time.Now()
	defer func() { spent.Add(int64(time.Since(begin))) }()
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-bounded.Done():
		return nil, ErrBusy
	}
	c.roundTrips.Add(1)
	results, err := c.run(bounded, call, known)
	if err != nil && ctx.Err() == nil {
		c.setAside(err)
	}
	return results, err
}

// run returns an error if Redis has lost data: the site is not the known one, or lacks writes that were seen before.
func (c *Client) run(ctx context.Context, call Call, known *site) ([]any, error) {
	writes := known.writes.Load()
	results, err := call.Script.Run(ctx, c.db, append(call.Keys, c.siteKey()), call.Args...).Slice()
	switch {
	case err != nil:
		return nil, err
	case len(results) < 3 || results[0] != known.id:
		return nil, errLost
	}
	before, _ := results[1].(int64)
	after, _ := results[2].(int64)
	if before < writes {
		known.lacked.Store(true)
		return nil, errOlder
	}
	known.sawWrites(after)
	return results[3:], nil
}

var (
	errLost  = errors.New("redis has lost its data")
	errOlder = errors.New("redis has older data than before")
)

// Apply runs a script that no login waits for, also while Redis is set aside.
func (c *Client) Apply(ctx context.Context, call Call) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, BackgroundTimeout)
	defer cancel()
	known := c.known.Load()
	if known == nil {
		return nil, ErrSetAside
	}
	return c.run(ctx, call, known)
}

// Delete removes a key, and returns the number of keys that were there.
func (c *Client) Delete(ctx context.Context, key string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, BackgroundTimeout)
	defer cancel()
	n, err := c.db.Del(ctx, key).Result()
	return int(n), err
}

// RunAll runs scripts in the background in one round trip, in their order, also while Redis is set aside. After an error it
// is not known which of them have run. If Redis does not have all scripts, some calls may run twice.
func (c *Client) RunAll(ctx context.Context, calls []Call) error {
	ctx, cancel := context.WithTimeout(ctx, BackgroundTimeout)
	defer cancel()
	err := c.runAll(ctx, calls)
	if !redis.HasErrorPrefix(err, "NOSCRIPT") {
		return err
	}
	loaded := make(map[*Script]bool)
	for _, call := range calls {
		if loaded[call.Script] {
			continue
		}
		if err := call.Script.Load(ctx, c.db).Err(); err != nil {
			return err
		}
		loaded[call.Script] = true
	}
	return c.runAll(ctx, calls)
}

func (c *Client) runAll(ctx context.Context, calls []Call) error {
	_, err := c.db.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, call := range calls {
			call.Script.EvalSha(ctx, p, append(call.Keys, c.siteKey()), call.Args...)
		}
		return nil
	})
	return err
}

type spentKey struct{}

// Bound returns a context for all calls of Run that belong to one login.
func (c *Client) Bound(ctx context.Context) context.Context {
	return context.WithValue(ctx, spentKey{}, new(atomic.Int64))
}

// spentIn returns how long the calls with the context have taken.
func spentIn(ctx context.Context) *atomic.Int64 {
	if spent, ok := ctx.Value(spentKey{}).(*atomic.Int64); ok {
		return spent
	}
	return new(atomic.Int64)
}

// Scan calls each with the names of the keys that match a pattern. The pattern is as in Redis's SCAN, without the prefix.
func (c *Client) Scan(ctx context.Context, pattern string, each func(key string) error) error {
	node, err := c.node(ctx)
	if err != nil {
		return err
	}
	const atOnce = 1000
	keys := node.Scan(ctx, 0, globQuote.Replace(c.config.Prefix)+"{1}:"+pattern, atOnce).Iterator()
	for keys.Next(ctx) {
		if err := each(keys.Val()); err != nil {
			return err
		}
	}
	return keys.Err()
}

// node returns the server that has all keys, because a cluster has more than one.
func (c *Client) node(ctx context.Context) (redis.Cmdable, error) {
	if cluster, ok := c.db.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, c.siteKey())
	}
	return c.db, nil
}

// Close closes all connections.
func (c *Client) Close() error {
	if err := c.db.Close(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
