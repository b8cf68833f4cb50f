package auth

import (
	"strings"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/cache"
	"mailauthd/internal/limit"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/upstream"
	"mailauthd/internal/users"
)

// Config is the configuration of an Authenticator.
type Config struct {
	Methods         []string // that clients may use
	DefaultDomain   string   // for user names without one, in canonical form; empty: they are rejected
	FailureMessage  string
	ResponseCodes   bool         // tell the client the codes of RFC 5530, RFC 3206 and RFC 3463
	ProxyAddr       bool         // clients' addresses are those of the PROXY protocol
	UserFrom        string       // attribute of a certificate's subject that is a user name; empty: none
	HashConcurrency int          // hashes that are computed at a time
	Access          access.Rules // for all users

	Servers []*route.Server // by name
	Domains *route.Table
	Users   *users.Map
	Passdbs []*Passdb // by name

	Cache    cache.Config
	Throttle *throttle.Config // nil: none
	AuthWait bool             // make nginx wait after a failure, as long as the throttle says
}

// Canonical returns the canonical form of a user name, with the default domain if it has none.
func (c *Config) Canonical(user string) (string, error) { return mailaddr.User(c.complete(user)) }

func (c *Config) complete(name string) string {
	if c.DefaultDomain != "" && !strings.Contains(name, "@") {
		return name + "@" + c.DefaultDomain
	}
	return name
}

// Authenticator decides requests by one configuration. It must not be changed once it is in use.
type Authenticator struct {
	Config
	Directory users.Directory // finds the entries of users
	Resolver  *route.Resolver
	Health    *route.Health // nil: no server is set aside

	Now func() time.Time

	// CountHash, if set, is called for each password that is compared with a hash. It must
	// be safe for concurrent use.
	CountHash func()

	// Trace, if set, is called at each step of the decision, without secrets. It must be safe
	// for concurrent use.
	Trace func(format string, args ...any)

	cache    *cache.Cache       // nil: nothing is remembered
	throttle *throttle.Throttle // nil: logins are not throttled
	shared   *shared            // logins that wait for the same answer
	noDigest password.Hash      // of a random password

	hashes  *limit.Group   // all logins that compute a hash, or wait for a slot to do so
	hashing *limit.Limiter // of that group
	asking  *limit.Group   // all logins that are checked at mail servers, or wait for a slot there
	servers map[string]*mailServer
	passdbs map[string]*passdb
}

// mailServer is a mail server with its connections.
type mailServer struct {
	*route.Server
	pool  *upstream.Pool
	slots *limit.Limiter // for the server's connections
}

// New makes an Authenticator that shares nothing with others; see [Authenticator.Inherit].
func New(c Config, resolver *route.Resolver) *Authenticator {
	a := &Authenticator{
		Config:    c,
		Directory: c.Users,
		Resolver:  resolver,
		Now:       time.Now,
		cache:     cache.New(c.Cache),
		shared:    newShared(),
		noDigest:  newNoDigest(),
		hashes:    newGroup(MaxHashing),
		asking:    newGroup(MaxAsking),
		servers:   make(map[string]*mailServer, len(c.Servers)),
		passdbs:   make(map[string]*passdb, len(c.Passdbs)),
	}
	a.hashing = a.hashes.NewLimiter(limit.Config{Slots: min(c.HashConcurrency, MaxHashing), Waiting: MaxHashing})
	if c.Throttle != nil {
		a.throttle, _ = throttle.New(*c.Throttle, a.Now()) // package config has validated it
	}
	for _, s := range c.Servers {
		a.add(s)
	}
	for _, p := range c.Passdbs {
		a.addPassdb(p)
	}
	return a
}

// newGroup bounds logins that wait for the same kind of slot. A single network has at most half of the room, and
// all unknown networks together have at most three quarters.
func newGroup(max int) *limit.Group {
	return limit.NewGroup(limit.Bounds{Callers: max, Network: max / 2, Unknown: max - max/4})
}

// add adds a server at which logins can be checked.
func (a *Authenticator) add(s *route.Server) {
	n := s.MaxConnections
	if n <= 0 {
		n = upstream.MaxConnections
	}
	a.servers[s.Name] = &mailServer{
		Server: s,
		pool:   upstream.NewPool(n, s.Warm, s.WarmTTL),
		slots:  a.asking.NewLimiter(limit.Config{Slots: n, Reserved: (n + 3) / 4, Waiting: MaxWaiting}),
	}
}

func (a *Authenticator) trace(format string, args ...any) {
	if a.Trace != nil {
		a.Trace(format, args...)
	}
}
