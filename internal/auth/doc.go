// Package auth decides: a request of nginx in, a response and an event for the log out.
//
// # Order of the decision
//
//  1. What authhttp refuses to read is rejected.
//  2. The method none is mail from outside: the recipient's domain decides. It must be one of ours, and if
//     all its users are in the map, the recipient must be one of them. Nothing below applies.
//  3. Offered: xoauth2 and oauthbearer are rejected, and so is a method that is not in Methods. By external
//     the client certificate must have been verified by nginx; by any other method an empty password is
//     rejected.
//  4. Find: by external, a client that sent no user name gets the one in its certificate. A user name without a
//     domain gets DefaultDomain; USER*MASTER is split if there are master users. The name must be of a domain
//     in the table. The directory finds its entry: of the name, of its user if the name is an alias, or of
//     the name without its extension. Of the user's servers, or the domain's, the first counts that is not
//     set aside.
//  5. May they try: the throttle rejects a login if its network, its user, or both have failed too often. It
//     is asked again when a login has waited for its slot.
//  6. Prove: by one verifier (below).
//  7. Rules: those of package access, of the user, the domain and all; for a master user those of the
//     master as well.
//  8. What nginx logs in to the server with. The name: the user's login, or the user's own after an alias,
//     else as the client or its certificate spelt it. The password: the first there is of the user's
//     upstream_password, the client's (plain), a password in the map in cleartext, the server's master
//     login. For POP3 and IMAP none of them is a temporary failure; to an SMTP server nginx need not log
//     in.
//
// # Verifiers
//
// Each is in a file of its own. The first that applies proves the login:
//
//	hashes       plain: a master user, always by the master's own passwords; a user with passwords in the
//	             map; any other user of a domain with verify = "users", who is refused after as much work
//	             as a wrong password costs
//	digests      apop and cram-md5, by the same passwords as far as they allow it
//	certificate  external: an entry that lists the certificate, or the name in it
//	atServers    plain, all others: asked for at the first of the user's servers that can be reached
//
// Two things are wrapped around a verifier: what was right or refused before may be remembered (remember.go, and
// package cache), and a login may have to wait for a slot (prove.go, and package limit). Of logins that are
// the same in every respect one is proved, and the others wait for it.
//
// # Outcomes
//
// A request is ok, rejected, or a temporary failure; what the code can't tell is a
// temporary failure, and so is a panic. The client is told the same for each
// rejection of a login; the reason goes to the log.
//
// # What must not tell
//
// Neither the answer nor its time tells whether a name exists, or whether a password was right that did not let
// its user in:
//
//   - A name without a password in the map is verified against those of another user of the domain.
//   - Of a user that the rules keep out, all passwords are tried, also after a right one. A mail server, which may
//     answer sooner to a right one, is asked about a random name instead.
//   - A refusal by the rules is remembered as that of a wrong password.
//   - A login that cannot succeed with any password is a rejection like any other, and counts as one: by a method that
//     the user cannot use, or where nginx would have no password for the server.
//   - While nginx cannot be sent to the user's server, right and wrong passwords are temporary failures.
//
// A remembered password outlives its time only while none of the servers can be reached, or all are set aside. A
// server that answers, whatever it says, and limits of our own do not count as that.
//
// # Limits
//
//	MaxHashing    64     logins that compute a hash, or wait for it
//	MaxHashWait   20 s   that a login waits for a slot to compute a hash
//	MaxHashTime   10 s   after which no other of a user's passwords is tried
//	MaxAsking     176    logins that are at a mail server, or wait for one
//	MaxWaiting    50     of these that wait for a slot at the same server, for its timeout at most
//	MaxUpstream   40 s   for a login at the mail servers, all that are tried
//	MaxWaits      10     the attempt from which on nginx is not told to wait
//	unlistedKeys  64     throttle counters for names of domains that are not listed
//
// The slots are HashConcurrency for hashes: each may take 64 MiB, and twice that until it is collected. For a mail
// server they are its max_connections. A quarter of these is reserved: a known network leaves it to others, and so do all
// unknown ones together, of which a single one takes at most half of the rest. Of MaxHashing and of MaxAsking a single
// network has at most half, and all unknown ones three quarters. MaxHashing and MaxAsking leave slots for requests that need
// not wait, of those that package listen has.
package auth
