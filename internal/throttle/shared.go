package throttle

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
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

//go:embed lua
var lua embed.FS

// The scripts are atomic. They use the half-life and the limits of the machine that runs them.
var (
	readScript      = script("read")
	failScript      = script("entry", "fail")
	succeedScript   = script("entry", "succeed")
	forgetScript    = script("entry", "forget")
	seedScript      = script("entry", "seed")
	seedKnownScript = script("seedknown")
)

func script(files ...string) *redisdb.Script {
	var text strings.Builder
	for _, name := range files {
		part, err := lua.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic(err) // it is part of this program
		}
		text.Write(part)
	}
	return redisdb.NewScript(text.String())
}

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
	r := reply{now: now.Sub(t.start)}
	r.clock, _ = results[0].(int64)
	t.adopt(Pair, k.pair, r.entry(results[1], k))
	t.adopt(Network, k.network, r.entry(results[2], keys{}))
	t.adopt(User, k.user, r.entry(results[3], keys{}))
	t.adoptKnown(k.user, r, results[4])
}

// failShared records a wrong password in Redis. It returns false if this machine must count it. Then it is counted in Redis
// later.
func (t *Throttle) failShared(ctx context.Context, k keys, tag uint16, now time.Time) bool {
	s := t.shared
	if s == nil {
		return false
	}
	config := t.configNow()
	results, err := s.db.Run(ctx, s.failCall(&config, k, tag, 0))
	if err != nil || len(results) != 4 {
		s.unsent.add(event{keys: k, tag: tag, at: now})
		s.db.Pending()
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := reply{now: now.Sub(t.start)}
	r.clock, _ = results[0].(int64)
	t.adopt(Pair, k.pair, r.entry(results[1], k))
	t.adopt(Network, k.network, r.entry(results[2], keys{}))
	t.adopt(User, k.user, r.entry(results[3], keys{}))
	return true
}

// succeedShared records a right password in Redis, unless it would change nothing there. It returns false if this machine
// must record it.
func (t *Throttle) succeedShared(ctx context.Context, k keys, now time.Time) bool {
	s := t.shared
	if s == nil {
		return false
	}
	if t.changesNothing(k) {
		return true
	}
	config := t.configNow()
	results, err := s.db.Run(ctx, s.succeedCall(&config, k, 0))
	if err != nil || len(results) != 4 {
		s.unsent.add(event{keys: k, at: now})
		s.db.Pending()
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := reply{now: now.Sub(t.start)}
	r.clock, _ = results[0].(int64)
	t.adopt(Pair, k.pair, r.entry(results[1], k))
	t.adopt(Network, k.network, r.entry(results[2], keys{}))
	t.adoptKnown(k.user, r, results[3])
	return true
}

// changesNothing reports whether a success would change nothing: the network is the last known one of the user, and the
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
