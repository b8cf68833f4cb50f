package redisdb

import (
	"context"
	_ "embed"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
)

// site is what all machines agree on.
type site struct {
	id    string
	epoch int64 // the number of announcements

	*seen // a late reply does not change that of the next site
}

// seen is what replies have told of a site.
type seen struct {
	writes atomic.Int64 // the largest number
	lacked atomic.Bool  // whether there were fewer later, although others may have written as many meanwhile
}

// sawWrites notes how many writes Redis has had at least.
func (s *seen) sawWrites(n int64) {
	for old := s.writes.Load(); n > old && !s.writes.CompareAndSwap(old, n); {
		old = s.writes.Load()
	}
}

//go:embed look.lua
var lookLua string

var lookScript = NewScript(lookLua)

func (c *Client) siteKey() string { return c.Key("site") }

// Look reads the site, which it makes if there is none. If the site is another one than before, Redis has lost its data,
// and is set aside until [Client.OnBack]'s function has brought in what is missing.
func (c *Client) Look(ctx context.Context) error {
	c.looking.Lock()
	defer c.looking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, BackgroundTimeout)
	defer cancel()
	before := c.known.Load()
	if before == nil {
		before = &site{seen: new(seen)}
	}
	results, err := lookScript.Run(ctx, c.db, []string{c.siteKey()}, newID(), c.secrets.fingerprint, SiteTTL.Milliseconds(),
		before.id, before.writes.Load(), before.lacked.Load()).Slice()
	if err != nil {
		return err
	}
	if len(results) != 3 {
		return errors.New("a script returned something else than it should")
	}
	now := &site{seen: before.seen}
	now.id, _ = results[0].(string)
	now.epoch, _ = results[1].(int64)
	known := before.id != ""
	if known && before.id != now.id {
		c.mu.Lock()
		c.lost = true // first, so that Keep does not use Redis again
		c.mu.Unlock()
		c.setAside(errLost)
		now.seen = new(seen)
	}
	writes, _ := results[2].(int64)
	now.sawWrites(writes)
	c.mu.Lock()
	c.known.Store(now)
	c.mu.Unlock()
	if known && (before.id != now.id || before.epoch != now.epoch) {
		c.handler.Missed()
	}
	return nil
}

// explain adds what to do to some errors of Redis.
func explain(err error) error {
	for prefix, advice := range map[string]string{
		"SECRET":    "another machine uses another secret_file with this prefix: use the same secret on all machines",
		"NOAUTH":    "redis asks for a password: set password_file",
		"WRONGPASS": "redis refuses username and password",
		"NOPERM":    "redis does not permit a command: mailauthd(8) lists what an ACL user needs",
		"CROSSSLOT": "the cluster or its proxy does not keep keys with the same {tag} together",
		"OOM":       "redis is at its maxmemory",
		"MISCONF":   "redis cannot save its data, and refuses changes",

		"READONLY":   "this is a replica: give the address of the master, or those of the Sentinels with master_name",
		"NOREPLICAS": "redis has fewer replicas than min-replicas-to-write",
		"MOVED":      "this is a node of a cluster: list several nodes in addresses",

		"This instance has cluster support disabled": "several addresses are those of a cluster: give one server, or set master_name if they are Sentinels",
		"The user executing the script can't":        "redis does not permit a command of a script: mailauthd(8) lists what an ACL user needs",
		"ACL failure in script":                      "redis does not permit a command of a script: mailauthd(8) lists what an ACL user needs", // Valkey
		"unknown command":                            "this server does not know a command that is needed: if it is a Sentinel, set master_name",
	} {
		if strings.HasPrefix(codeOf(err), prefix) {
			return &Error{advice, err}
		}
	}
	return err
}

// inScript matches what Redis 6.2 writes before the error of a command in a script.
var inScript = regexp.MustCompile(`^Error running script .*@user_script: \d+: -?`)

// codeOf returns an error of Redis without what does not tell errors apart.
func codeOf(err error) string {
	return inScript.ReplaceAllString(strings.TrimPrefix(err.Error(), "ERR "), "")
}

// Error is an error of Redis with what to do about it.
type Error struct {
	Advice string
	Err    error
}

func (e *Error) Error() string { return e.Advice + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }
