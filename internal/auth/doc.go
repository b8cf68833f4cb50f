// Package auth decides: a request of nginx in, a response and an event for the log out.
//
// # Order of the decision
//
//  1. What authhttp refuses to read is rejected.
//  2. xoauth2 and oauthbearer are rejected, and so is a method that is not in Methods.
//  3. none: the recipient's domain decides. It must be one of ours, and if all its users
//     are in the map, the recipient must be one of them. Nothing below applies.
//  4. external: the client certificate must have been verified by nginx. Without a
//     user name from the client, the name in the certificate counts. By any other
//     method an empty password is rejected.
//  5. A user name without a domain gets DefaultDomain; USER*MASTER is split if there
//     are master users; an alias stands for its user.
//  6. A domain that is not in the table is rejected. Of the user's servers, or the
//     domain's, the first counts that is not set aside.
//  7. Throttle: too many failures of the network, the user, or both are rejected here,
//     before any hash or dialogue; and once more when a login's turn to compute a hash comes.
//  8. Proof: a master user by their own password; external by an entry that lists the
//     certificate, or by the name in it; a user with passwords in the map by those,
//     always; any other user as the domain says: refused (after as much work as a
//     wrong password costs), or asked for at the mail server, for plain only: at the first of the servers that
//     answers. What was right or wrong before may be remembered (package cache).
//  9. Rules: those of package access, of the user, the domain and all; for a master
//     user those of the master as well.
//  10. What nginx logs in to the server with. The name: the user's login, or the
//     user's own after an alias, else as the client or its certificate spelt it. The
//     password: the first there is of the user's upstream_password, the client's
//     (plain), a password in the map in cleartext, the server's master login. For POP3
//     and IMAP none of them is a temporary failure; to an SMTP server nginx need not
//     log in.
//
// # Outcomes
//
// A request is ok, rejected, or a temporary failure; what the code can't tell is a
// temporary failure, and so is a panic. The client is told the same for each
// rejection of a login; the reason goes to the log.
//
// # Limits
//
//	MaxHashWait   20 s   that a login waits for its turn to compute a hash
//	MaxStrangers  48     logins at a time that wait for that turn, or have it, with a throttle, from networks
//	                     that their users are not known from: other ones go first
//	MaxFromNetwork 16    of these from one network
//	nobodies      64     names that the throttle takes for all that nobody here can have
//	MaxHashTime   10 s   after which no other of a user's passwords is tried
//	MaxUpstream   40 s   for a login at the mail servers, all that are tried
//	MaxAsking     200    logins at a time that wait for mail servers
//	MaxWaits      10     the attempt from which on nginx is not told to wait
//
// and Hashing, the number of hashes computed at a time: each may take 64 MiB, and twice
// that until it is collected.
package auth
