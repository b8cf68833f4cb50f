// Package auth decides requests of nginx. [Authenticator.Answer] takes the headers of a request, and returns the
// response and an event for the log.
//
// # Order of the decision
//
//  1. What authhttp refuses to read is rejected.
//  2. The method none is mail from outside: the recipient's domain decides. It must be one of ours, and if
//     all its users are in the map or in a passdb, the recipient must be one of them. Nothing below applies.
//  3. Offered: xoauth2 and oauthbearer are rejected, and so is a method that is not in Methods. With external,
//     nginx must have verified the client certificate. With any other method an empty password is rejected.
//  4. Find: with external, a client that sent no user name gets the one in its certificate. A user name without a
//     domain gets DefaultDomain. USER*MASTER is split if there are master users. The domain of the name must be
//     in the table. The directory finds the entry: of the name, of its user if the name is an alias, or of
//     the name without its extension. The login uses the first of the user's servers, or else of the domain's,
//     that is not set aside.
//  5. Throttle: a login is rejected if its network, its user, or both have failed too often. The throttle is
//     asked again when a login has waited for a slot.
//  6. Passdb: if the domain's verify names one, and the map has no password of the user, the passdb finds the
//     entry and the servers (see below). The throttle is asked again if the name is an alias.
//  7. Prove: one verifier proves the login (see below).
//  8. Rules: those of package access for the user, the domain and all users. For a master user those of the
//     master apply as well.
//  9. Credentials for nginx at the server. The name is the user's login; or the user's own name after an alias;
//     or else the name as the client or its certificate spelt it. The password is the first of these: the user's
//     upstream_password; the client's password (plain); a cleartext password of the entry; that of the server's
//     master login. If there is none, a POP3 or IMAP login is a temporary failure. An SMTP login is not, because
//     nginx need not log in to an SMTP server.
//
// # Passdbs
//
// A [Passdb] is a database of users. Its entry of a user counts like one in the map. What the map sets for the same user
// goes before it: a password is the only one that counts, and other settings replace those of the database. That is so
// after an alias as well, which only the database may know.
//
// If a database does not answer, or a value makes no sense, the login is a temporary failure. A database that does not
// answer is set aside like a mail server. Users with a password in the map, and those of other passdbs, are not affected.
//
// The domain "*" is any that is not listed. If the passdb knows which domains are ours, it must have the domain.
//
// # Verifiers
//
// Each is in a file of its own. The first that applies proves the login:
//
//	hashes       plain: a master user, always by the master's own passwords; a user with passwords in the
//	             map or the passdb; any other user of a domain with verify = "users" or with a passdb, who is
//	             refused after as much work as a wrong password costs
//	binds        plain: a user of a passdb that proves passwords by a bind; an unknown name is bound as well
//	digests      apop and cram-md5, by the same passwords as far as they allow it
//	certificate  external: an entry that lists the certificate, or the name in it
//	atServers    plain, all other users: by logging in to the first of the user's servers that can be reached
//
// Two things are wrapped around a verifier. Right and refused passwords may be remembered (remember.go, and package
// cache), and a login may have to wait for a slot (prove.go, and package limit). Of concurrent logins that are the
// same in every respect one is proved, and the others wait for its result.
//
// # Outcomes
//
// A request is ok, rejected, or a temporary failure. If the code cannot decide, the outcome is a temporary failure;
// so it is after a panic. The client gets the same answer for each rejection of a login. The reason goes to the log.
//
// # What must not be revealed
//
// Neither the answer nor its time reveals whether a name exists, or whether the password of a login that is refused
// for another reason was right:
//
//   - A name without a password is verified against the passwords of another user of the domain.
//   - A name with an extension is looked for in a passdb with and without it, even if the first is found.
//   - For a user whom the rules refuse, all passwords are tried, even after a right one. A mail server may answer
//     sooner to a right password, so it is asked about a random name instead, and a passdb binds with a random password.
//   - A refusal by the rules is remembered like that of a wrong password.
//   - A login that cannot succeed with any password is a rejection like any other, and counts as one: by a method that
//     the user cannot use, or if nginx would have no password for the server.
//   - While nginx cannot be sent to the user's servers, right and wrong passwords are temporary failures.
//
// A hash that has changed in a passdb counts at once. What a bind has proved is remembered until its TTL ends, because the
// passdb does not tell that a password has changed.
//
// A remembered password is used after its TTL only while none of the servers can be reached, or all are set aside.
// That is not so if a server answers, whatever the answer is, or if a limit of this process prevents a login.
//
// # Limits
//
//	MaxHashing    64     logins that compute a hash, or wait for a slot to do so
//	MaxHashWait   20 s   how long a login waits for a slot to compute a hash
//	MaxHashTime   10 s   after this time no further password of a user is tried
//	MaxAsking     176    logins that are checked at mail servers and passdbs, or wait for a slot there
//	MaxWaiting    50     logins that wait for a slot of one server or passdb; at a server no longer than its timeout
//	MaxPassdbConnections 82  max_connections of a passdb
//	MaxUpstream   40 s   for a login at all mail servers that are tried
//	MaxWaits      10     from this attempt on nginx is not told to wait
//	unlistedKeys  64     throttle counters for names of domains that are not listed
//
// There are HashConcurrency slots for hashes. Each hash may need 64 MiB, and twice that until the memory is collected.
// A mail server has max_connections slots, and so has a passdb, for its queries and binds. A quarter of these is reserved: neither a single network nor all unknown
// networks together can have them, and a single unknown network has at most half of the rest. Of MaxHashing and MaxAsking
// a single network has at most half, and all unknown networks together have three quarters. MaxHashing and MaxAsking are
// so small that package listen has slots left for requests that need not wait. A login waits for a slot of a passdb for
// at most MaxHashWait, and mail from outside counts for the network of its sender.
package auth
