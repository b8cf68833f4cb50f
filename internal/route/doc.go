// Package route finds the mail server of a domain, and the address of that server.
//
// # Domains
//
// A domain is found by its exact name, or else by the longest "*." pattern that it
// is a subdomain of: "*.example.com" stands for a.example.com and a.b.example.com, but
// neither for example.com nor for notexample.com. All names are in the one spelling of
// package mailaddr.
//
// # Names
//
// A server is given by an address or by a host name. nginx takes only addresses,
// so [Resolver] turns names into addresses ahead of need and keeps them fresh in
// the background: a login never waits for DNS, and while DNS is down the last good
// addresses are used. The addresses of a name are used in turn; where it has
// addresses of both kinds, IPv4 ones, unless IPv6 is preferred. The other kind is the last
// resort.
//
// # Limits
//
//	ResolveInterval  60 s   between two looks at a name, unless configured
//	RetryInterval    5 s    the same, for a name without an address
//	ResolveTimeout   5 s    for one look
//	MaxAddrs         32     of one name
package route
