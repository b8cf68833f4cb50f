// Package route finds the mail server of a domain, and the address of that server.
//
// # Domains
//
// A domain is found by its exact name, or else by the longest "*." pattern that it
// is a subdomain of: "*.example.com" stands for a.example.com and a.b.example.com, but
// neither for example.com nor for notexample.com. All names are in the canonical form of
// package mailaddr.
//
// # Servers
//
// [Choose] puts the servers of a domain into the order in which a user tries them. With
// [PolicyOrder] it is the order of the configuration. With [PolicyHash], for mail stores
// that each hold some of the users, it depends on the user alone: always the same while
// the servers stand. When a server leaves, its users move, each to the second in their
// order, and nobody else does; when one joins, it takes its share from all the others.
// The choice is rendezvous hashing by SHA-256 of server name and user name: the order in
// which servers are written, a restart and another machine change nothing; a new
// name does.
//
// # Health
//
// A server that cannot be reached MaxFails times in a row is set aside by its
// [Breaker]: nobody asks it, so nobody waits for its timeouts. A server that takes
// the user name can be reached, even if it then does not answer. After a back-off one
// login, or one check in the background, tries it; an answer puts it back,
// whether the password was right or wrong, and a failure doubles the back-off. Where
// all servers of a user are set aside, [Health.Try] yields none, at once. There is a
// breaker for each protocol that a server is asked by. It outlives reloads as long as
// this protocol, and name, host and ports of the server, stay.
//
// # Names
//
// A server is given by an address or by a host name. nginx takes only addresses,
// so [Resolver] turns names into addresses ahead of need and keeps them fresh in
// the background: a login never waits for DNS, and while DNS is down the last good
// addresses are used. The addresses of a name are used in turn; where it has
// addresses of both kinds, IPv4 ones, unless IPv6 is preferred. The other kind is the last
// resort. Where one does not answer, a login that is checked at the server goes on to the next
// ([Resolver.Addrs]).
//
// # Limits
//
//	MaxFails         3      failures in a row, before a server is set aside
//	MinBackoff       1 s    until the first trial, less up to a half at random; doubles
//	MaxBackoff       60 s   the same, at most
//	TrialTimeout     60 s   for a trial to report, before the next one begins
//	CheckTimeout     10 s   for one check in the background
//	ResolveInterval  60 s   between two looks at a name, unless configured
//	RetryInterval    5 s    the same, for a name without an address
//	ResolveTimeout   5 s    for one look
//	MaxAddrs         32     of one name
package route
