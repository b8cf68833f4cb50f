// Package cache remembers how logins ended, so that the next one with the same password
// costs neither a dialogue with the mail server nor a slow hash.
//
// # Rules
//
// They are those of Dovecot's auth cache, where it has them and they tell nothing:
//
//   - An answer is remembered for one user and one password, in one scope: the caller puts into a [Key]
//     everything that the answer depends on. So an answer of a hash or a server that is no longer
//     configured is not found after a reload.
//   - A right password is remembered for TTL.
//   - A refused one is remembered for NegativeTTL, whatever else happens meanwhile: that it is refused in less
//     time than another one would tell that the user has logged in.
//   - What could not be decided is not remembered. While no server that could check a login can be
//     reached, a right password counts for StaleTTL more.
//
// # What is kept
//
// Of passwords only HMAC-SHA256 is kept, with a key that is drawn when the process
// starts; names are kept as they are, for [Cache.Flush].
//
// # Limits
//
//	Size   entries, as configured   right passwords; and as many refused ones
//
// Right and refused ones are kept apart, and the least recently used one is evicted first: guesses evict no
// right password. An entry takes about 300 bytes.
package cache

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Config says how much is remembered and how long.
type Config struct {
	Size        int           // entries; 0: nothing is remembered
	TTL         time.Duration // of a right password
	NegativeTTL time.Duration // of a refused one
	StaleTTL    time.Duration // of a right one, after TTL, while no server that could check it can be reached
}

// Key stands for a login and everything that its answer depends on.
type Key [sha256.Size]byte

// Answer is how a login ended.
type Answer struct {
	Good     bool   // false: refused
	Password int    // which of the user's passwords was right, if the map has them
	Reason   string // why it was refused, for the log
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

	mu    sync.Mutex // of what follows
	good  *simplelru.LRU[Key, entry]
	bad   *simplelru.LRU[Key, entry]
	epoch int // counts flushes
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
	cache := &Cache{config: c}
	_, _ = rand.Read(cache.secret[:]) // does not fail: crypto/rand
	cache.good, _ = simplelru.NewLRU[Key, entry](c.Size, nil)
	cache.bad, _ = simplelru.NewLRU[Key, entry](c.Size, nil)
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
func (c *Cache) Lookup(k Key, now time.Time) (Answer, Found) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.good.Get(k); ok {
		switch age := now.Sub(e.at); {
		case age < 0: // the clock was set back
		case age < c.config.TTL:
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
	if age < 0 || age >= c.config.NegativeTTL {
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
		return
	}
	c.good.Remove(k)
	if c.config.NegativeTTL > 0 {
		c.bad.Add(k, entry{user, a, now})
	}
}

// Flush forgets the users that match, and returns how many answers that were.
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
