// Package route finds the mail servers of a domain, and the addresses of a server.
//
// # Domains
//
// [Table.Find] finds a domain by its exact name, or else by the longest wildcard that matches it.
// "*.example.com" matches a.example.com and a.b.example.com, but neither example.com nor
// notexample.com. [AnyDomain], "*", matches every name that nothing else does, also one without a dot. All names are in the canonical form of package mailaddr.
//
// # Servers
//
// [Choose] puts the servers of a domain into the order in which a login tries them. With
// [PolicyOrder] it is the order of the configuration. With [PolicyHash], for mail stores that
// each hold some of the users, the order depends on the user name alone. It stays the same as
// long as the servers do. When a server is removed, only its users move, each to the second
// server in their order. A server that is added takes its share of users from all others.
//
// The hash policy is rendezvous hashing by SHA-256 of server name and user name. So a restart,
// another machine, or another order in the configuration moves no user. A new server name
// does.
//
// # Health
//
// A [Breaker] sets a server aside when it could not be reached MaxFails times in a row. No
// login asks such a server, so no login waits for its timeouts. A server that accepts the user
// name counts as reached, even if it does not answer after that.
//
// After a back-off one login tries the server. A background probe does not wait for the
// back-off. An answer puts the server back, whether the password was right or wrong. A failed
// trial doubles the back-off. If all servers of a user are set aside, [Health.Try] yields none,
// at once.
//
// A server has one breaker for each protocol on which it is asked. A reload keeps the breaker
// if this protocol and the server's name, host and ports are unchanged.
//
// # Names
//
// A server is configured by an address or by a host name. nginx accepts only addresses, so
// [Resolver] resolves the names in advance, and again at intervals in the background. A login
// never waits for DNS. While DNS is down, the last known addresses are used.
//
// The addresses of a name are used in turn. If there are IPv4 and IPv6 addresses, the IPv4
// ones are used, unless IPv6 is preferred. The other kind is the last resort. If an address
// does not answer, a login that is checked at the server tries the next one
// ([Resolver.Addrs]).
//
// # Limits
//
//	MaxFails         3      failures in a row before a server is set aside
//	MinBackoff       1 s    before the first trial, less up to a half at random; doubles
//	MaxBackoff       60 s   the longest back-off
//	TrialTimeout     60 s   for a trial to report, before the next one begins
//	CheckTimeout     10 s   for one background probe
//	ResolveInterval  60 s   between two lookups of a name, unless configured
//	RetryInterval    5 s    between two lookups of a name without an address
//	ResolveTimeout   5 s    for one lookup
//	MaxAddrs         32     addresses of one name; further ones are not used
package route
