// Package cache remembers the results of logins, so that the next login with the same password needs neither a
// dialogue with the mail server nor a slow hash.
//
// # Rules
//
// The rules are those of Dovecot's auth cache, except where those would reveal something to a client:
//
//   - An answer is remembered for one user, one password and one scope. The caller puts everything that the
//     answer depends on into a [Key]. So an answer of a hash or server that is no longer configured is not
//     found after a reload.
//   - A right password is remembered for TTL.
//   - A refused password is remembered for NegativeTTL, whatever else happens meanwhile. If a login of the user
//     ended that, the time of the next refusal would reveal that the user has logged in.
//   - A temporary failure is not remembered. While no server can be reached that could check the login, a right
//     password counts for StaleTTL more.
//
// # What is kept
//
// Passwords are kept only as an HMAC-SHA256, whose key is random in each process. User names are kept as they are,
// because [Cache.Flush] needs them. The mail server's reply to a right password is kept because the log has it.
//
// # Limits
//
//	Size       as configured   right passwords; the same number of refused ones
//	MaxReply   512             bytes of a mail server's reply to a right password
//
// Right and refused passwords are kept apart, so guesses evict no right password. In each the least recently used
// entry is evicted. An entry takes about 300 bytes, and up to 800 with a long reply of the mail server.
package cache

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Config is how much is remembered, and for how long.
type Config struct {
	Size        int           // the largest number of right passwords, and of refused ones; 0: nothing is remembered
	TTL         time.Duration // how long a right password counts
	NegativeTTL time.Duration // how long a refused password counts
	StaleTTL    time.Duration // how long after TTL a right password counts while no server can be reached
}

// Key identifies a login and everything that its answer depends on.
type Key [sha256.Size]byte

// Answer is the result of a login.
type Answer struct {
	Good     bool   // false: refused
	Password int    // index of the password that was right, if the user map has the passwords
	Reason   string // why the login was refused; goes to the log
	Reply    string // the mail server's reply to a right password; goes to the log; at most MaxReply bytes are kept
}

// MaxReply is the largest number of bytes of a mail server's reply that are kept. Dovecot's list of capabilities fits.
const MaxReply = 512

// Found is the kind of a result of [Cache.Lookup].
type Found int

// The results of [Cache.Lookup].
const (
	Miss  Found = iota // there is no answer
	Hit                // the answer counts
	Stale              // a right password after its TTL, which counts only while no server can be reached
)

// Cache remembers answers. It is safe for concurrent use.
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

// New makes a cache. It returns nil if Size is 0.
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

// Key returns the key of everything that an answer depends on.
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

// Lookup returns the answer for a key, if there is one.
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

// Epoch returns the argument for Store. Call it before a login is checked, so that a flush during the check is
// noticed.
func (c *Cache) Epoch() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// Store remembers an answer, unless there was a flush since the epoch, because then the answer may be older than the
// flush.
func (c *Cache) Store(k Key, user string, a Answer, epoch int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if len(a.Reply) > MaxReply {
		a.Reply = strings.Clone(a.Reply[:MaxReply])
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

// Flush removes the answers for users that match, and returns how many there were.
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

// Count returns the numbers of right and refused passwords of a user that are remembered and count. It reads all
// entries, and delays other calls meanwhile.
func (c *Cache) Count(user string, now time.Time) (good, bad int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := func(entries *simplelru.LRU[Key, entry], lasts time.Duration) (n int) {
		for _, e := range entries.Values() {
			if age := now.Sub(e.at); e.user == user && age >= 0 && age < lasts {
				n++
			}
		}
		return n
	}
	return count(c.good, c.config.TTL+c.config.StaleTTL), count(c.bad, c.config.NegativeTTL)
}

// Len returns the numbers of right and refused passwords that are remembered.
func (c *Cache) Len() (good, bad int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good.Len(), c.bad.Len()
}
