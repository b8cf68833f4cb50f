// Package cache remembers how logins ended, so that the next one with the same password
// costs neither a dialogue with the mail server nor a slow hash.
//
// # Rules
//
// They are those of Dovecot's auth cache, where it has them:
//
//   - An answer is remembered for one user and one password, as it was judged by one
//     verifier: the caller puts into a [Key] all that the answer depends on. So after a
//     reload what was judged by a hash or a server that is no longer there is not found.
//   - A right password is remembered for TTL.
//   - A wrong one is remembered for NegativeTTL, and only until the user logs in
//     with a right one: then the wrong one may have become right.
//   - What could not be decided is not remembered. While the server does not answer, a right
//     password counts for StaleTTL more.
//   - Of logins with the same key one is decided at a time, and the others wait for it; it is
//     stopped when all of them have gone.
//
// # What is kept
//
// Of passwords only HMAC-SHA256 is kept, with a key that is drawn when the process
// starts; names are kept as they are, for [Cache.Flush].
//
// # Limits
//
//	Size   entries, as configured   right passwords; and as many wrong ones, and names
//
// Right and wrong ones are kept apart, least recently used out first: who guesses
// drives out no right password. An entry takes about 300 bytes.
package cache

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
)

// Config says how much is remembered and how long.
type Config struct {
	Size        int           // entries; 0: nothing is remembered
	TTL         time.Duration // of a right password
	NegativeTTL time.Duration // of a wrong one
	StaleTTL    time.Duration // of a right one, after TTL, while the server does not answer
}

// Key stands for a login and for who judges it.
type Key [sha256.Size]byte

// Answer is how a login ended.
type Answer struct {
	Good     bool
	Password int // which of the user's passwords was right, if the map has them
}

// Found says what the cache knows.
type Found int

// What [Cache.Lookup] finds.
const (
	Miss  Found = iota
	Hit         // the answer counts
	Stale       // a right password that counts if nobody can be asked
)

// Cache is safe for concurrent use.
type Cache struct {
	config Config
	secret [sha256.Size]byte
	flight singleflight.Group

	mu       sync.Mutex // of what follows
	good     *simplelru.LRU[Key, entry]
	bad      *simplelru.LRU[Key, entry]
	lastGood *simplelru.LRU[string, time.Time] // login of a user
	waiting  map[Key]*crowd                    // for an answer
	epoch    int                               // counts flushes
}

type entry struct {
	user   string
	answer Answer
	at     time.Time
}

// New makes a cache, nil if it is to remember nothing.
func New(c Config) *Cache {
	if c.Size <= 0 {
		return nil
	}
	cache := &Cache{config: c, waiting: make(map[Key]*crowd)}
	_, _ = rand.Read(cache.secret[:]) // does not fail: crypto/rand
	cache.good, _ = simplelru.NewLRU[Key, entry](c.Size, nil)
	cache.bad, _ = simplelru.NewLRU[Key, entry](c.Size, nil)
	cache.lastGood, _ = simplelru.NewLRU[string, time.Time](c.Size, nil)
	return cache
}

// Key makes one of everything that an answer depends on.
func (c *Cache) Key(parts ...string) (k Key) {
	h := hmac.New(sha256.New, c.secret[:])
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	h.Sum(k[:0])
	return k
}

// Lookup finds what is known of a login.
func (c *Cache) Lookup(k Key, user string, now time.Time) (Answer, Found) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.good.Get(k); ok {
		switch age := now.Sub(e.at); {
		case age < 0: // the clock was set back
		case age < c.config.TTL:
			c.lastGood.Add(user, now)
			return e.answer, Hit
		case age < c.config.TTL+c.config.StaleTTL:
			return e.answer, Stale
		}
		c.good.Remove(k)
		return Answer{}, Miss
	}
	e, ok := c.bad.Get(k)
	if !ok {
		return Answer{}, Miss
	}
	age := now.Sub(e.at)
	last, hasLast := c.lastGood.Get(user)
	if age < 0 || age >= c.config.NegativeTTL || hasLast && !e.at.After(last) {
		c.bad.Remove(k)
		return Answer{}, Miss
	}
	return e.answer, Hit
}

// Epoch is to be read before an answer is asked for that will be stored.
func (c *Cache) Epoch() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// Store remembers how a login ended, unless there was a flush since the epoch: the answer
// may be older.
func (c *Cache) Store(k Key, user string, a Answer, epoch int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if a.Good {
		c.bad.Remove(k)
		c.good.Add(k, entry{user, a, now})
		c.lastGood.Add(user, now)
		return
	}
	c.good.Remove(k)
	if c.config.NegativeTTL > 0 {
		c.bad.Add(k, entry{user, a, now})
	}
}

// Flush forgets the users that match, and tells how many answers that were.
func (c *Cache) Flush(match func(user string) bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, entries := range []*simplelru.LRU[Key, entry]{c.good, c.bad} {
		for _, k := range entries.Keys() {
			if e, ok := entries.Peek(k); ok && match(e.user) {
				entries.Remove(k)
				n++
			}
		}
	}
	return n
}

// Len is the number of answers that are remembered, good and bad.
func (c *Cache) Len() (good, bad int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good.Len(), c.bad.Len()
}

// ErrGaveUp is what who waits for another login's answer gets when its own time ends.
var ErrGaveUp = errors.New("no answer in time to the same login, asked before")

// Once runs decide for one of the callers with the same key; the others get what it
// returns. It goes on when that caller's context ends, for the others' sake, and is
// stopped when nobody waits any more. It must not panic.
func (c *Cache) Once(ctx context.Context, k Key, decide func(context.Context) any) (any, error) {
	result := c.join(ctx, k, decide)
	defer c.leave(k)
	select {
	case r := <-result:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ErrGaveUp
	}
}

// crowd are those who wait for one answer.
type crowd struct {
	size int
	ctx  context.Context // ends when they are gone
	stop context.CancelFunc
}

func (c *Cache) join(ctx context.Context, k Key, decide func(context.Context) any) <-chan singleflight.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting[k]
	if w == nil {
		w = &crowd{}
		w.ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
		c.waiting[k] = w
	}
	w.size++
	return c.flight.DoChan(string(k[:]), func() (any, error) { return decide(w.ctx), nil })
}

// leave forgets what nobody waits for: who comes next is not to get the answer of a
// decision that was stopped.
func (c *Cache) leave(k Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting[k]
	if w.size--; w.size > 0 {
		return
	}
	delete(c.waiting, k)
	w.stop()
	c.flight.Forget(string(k[:]))
}
