package throttle

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"

	"mailauthd/internal/redisdb"
)

// Times of what is kept in Redis.
const (
	keptHalfLives = 24                  // an entry is removed after this many half-lives without a failure
	minKept       = 24 * time.Hour      // but not earlier, because its wrong passwords may be repeated
	knownKept     = 90 * 24 * time.Hour // known networks are removed after this time without a login
	knownRefresh  = 24 * time.Hour      // a login from the last known network is written once in this time
)

// shared is what a Throttle needs to count in Redis. The tables of the Throttle then hold what this machine has last
// seen there, so that it can go on while Redis does not answer.
type shared struct {
	db     *redisdb.Client
	unsent unsent
	now    func() time.Time
	fixed  bool // whether the scripts use now instead of Redis's clock, for tests
}

// NewShared returns a Throttle whose counts are those of all machines with the same Redis. While Redis does not answer,
// it goes on with what this machine has seen, and adds what it has counted meanwhile later: see [Throttle.Register].
func NewShared(c Config, db *redisdb.Client, now time.Time) (*Throttle, error) {
	t, err := New(c, now)
	if err != nil {
		return nil, err
	}
	t.shared = &shared{db: db, now: time.Now}
	return t, nil
}

// Register makes the client of Redis bring in what this Throttle has counted without it. A Throttle without shared counters
// does nothing.
func (t *Throttle) Register() {
	if t.shared != nil {
		t.shared.db.OnBack(t.bringIn)
	}
}

// SharedBy returns the client by which the Throttle counts in Redis, or nil.
func (t *Throttle) SharedBy() *redisdb.Client {
	if t.shared == nil {
		return nil
	}
	return t.shared.db
}

//go:embed lua/read.lua
var readLua string

//go:embed lua/entry.lua
var entryLua string // begins the scripts that change entries

//go:embed lua/fail.lua
var failLua string

//go:embed lua/succeed.lua
var succeedLua string

//go:embed lua/forget.lua
var forgetLua string

//go:embed lua/seed.lua
var seedLua string

//go:embed lua/seedknown.lua
var seedKnownLua string

// The scripts are atomic. They use the half-life and the limits of the machine that runs them.
var (
	readScript      = redisdb.NewScript(readLua)
	failScript      = redisdb.NewScript(entryLua + failLua)
	succeedScript   = redisdb.NewScript(entryLua + succeedLua)
	forgetScript    = redisdb.NewScript(entryLua + forgetLua)
	seedScript      = redisdb.NewScript(entryLua + seedLua)
	seedKnownScript = redisdb.NewScript(seedKnownLua)
)

// nameWidth is the length of a key's name in Redis.
const nameWidth = 11

// name returns the text of a key in Redis.
func name(key uint64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, key))
}

// keyOf is the inverse of name. It returns 0 for anything else.
func keyOf(name string) uint64 {
	raw, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil || len(raw) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(raw)
}

// The keys in Redis. That of a pair names its network and its user, so that [Throttle.ForgetUser] can find it.
func (s *shared) networkKey(network uint64) string { return s.db.Key("n:" + name(network)) }
func (s *shared) userKey(user uint64) string       { return s.db.Key("u:" + name(user)) }
func (s *shared) knownKey(user uint64) string      { return s.db.Key("k:" + name(user)) }
func (s *shared) pairKey(network, user uint64) string {
	return s.db.Key("p:" + name(network) + ":" + name(user))
}

// args returns what all scripts with entry.lua get first.
func (s *shared) args(c *Config, more ...any) []any {
	kept := max(minKept, keptHalfLives*c.HalfLife)
	return append([]any{s.clock(), c.HalfLife.Microseconds(), kept.Milliseconds()}, more...)
}

func (s *shared) clock() int64 {
	if s.fixed {
		return s.now().UnixMicro()
	}
	return 0
}

func (s *shared) readCall(k keys) redisdb.Call {
	return redisdb.Call{
		Script: readScript,
		Keys:   []string{s.pairKey(k.network, k.user), s.networkKey(k.network), s.userKey(k.user), s.knownKey(k.user)},
		Args:   []any{s.clock()},
	}
}

func (s *shared) failCall(c *Config, k keys, tag uint16, age time.Duration) redisdb.Call {
	return redisdb.Call{
		Script: failScript,
		Keys:   []string{s.pairKey(k.network, k.user), s.networkKey(k.network), s.userKey(k.user)},
		Args: s.args(c, tagText(tag), age.Microseconds(), most(c.limit(Pair)), most(c.limit(Network)),
			most(c.limit(User))),
	}
}

func (s *shared) succeedCall(c *Config, k keys, age time.Duration) redisdb.Call {
	return redisdb.Call{
		Script: succeedScript,
		Keys:   []string{s.pairKey(k.network, k.user), s.networkKey(k.network), s.knownKey(k.user)},
		Args:   s.args(c, age.Microseconds(), name(k.network), knownKept.Milliseconds()),
	}
}

// eventCall returns the call that records a failure or a success of some age.
func (s *shared) eventCall(c *Config, e event, age time.Duration) redisdb.Call {
	if e.isSuccess() {
		return s.succeedCall(c, e.keys, age)
	}
	return s.failCall(c, e.keys, e.tag, age)
}

// refresh brings what this machine knows for a login up to date.
func (t *Throttle) refresh(ctx context.Context, k keys, now time.Time) {
	if t.shared == nil {
		return
	}
	s := t.shared
	results, err := s.db.Run(ctx, s.readCall(k))
	if err != nil || len(results) != 5 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.replyAt(results[0], now)
	t.adopt(Pair, k.pair, r.entry(results[1], k))
	t.adopt(Network, k.network, r.entry(results[2], keys{}))
	t.adopt(User, k.user, r.entry(results[3], keys{}))
	t.adoptKnown(k.user, r, results[4])
}

// record records a failure or a success in Redis. It returns false if this machine must record it, because nothing is shared
// or Redis does not answer. Then Redis gets it later.
func (t *Throttle) record(ctx context.Context, e event) bool {
	s := t.shared
	if s == nil {
		return false
	}
	config := t.configNow()
	results, err := s.db.Run(ctx, s.eventCall(&config, e, 0))
	if err != nil || len(results) != 4 {
		s.unsent.add(e)
		s.db.Pending()
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.replyAt(results[0], e.at)
	t.adopt(Pair, e.pair, r.entry(results[1], e.keys))
	t.adopt(Network, e.network, r.entry(results[2], keys{}))
	if e.isSuccess() {
		t.adoptKnown(e.user, r, results[3])
	} else {
		t.adopt(User, e.user, r.entry(results[3], keys{}))
	}
	return true
}

// changesNothing reports whether a success would change nothing in Redis: the network is the last known one of the user, and the
// pair has no count. Most logins are such.
func (t *Throttle) changesNothing(k keys) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.tables.known.Get(k.user)
	pair, failed := t.tables.pairs.Peek(k.pair)
	return ok && n.fresh && n.networks[0] == k.network && (!failed || pair.count == 0)
}

func (t *Throttle) configNow() Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.config
}

// most returns the largest count of a counter with the limit.
func most(limit float64) float64 { return maxOver * (max(limit, 1) - margin) }

func tagText(tag uint16) string {
	text := strconv.FormatUint(uint64(tag)|1<<16, 16) // with leading zeros
	return text[1:]
}
