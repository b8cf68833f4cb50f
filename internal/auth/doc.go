// Package auth decides: a request of nginx in, a response and an event for the log out.
//
// # Order of the decision
//
//  1. What authhttp refuses to read is rejected.
//  2. xoauth2 and oauthbearer are rejected; apop, cram-md5, external and none are
//     not available yet: temporary failure. A method that is not in Methods is rejected.
//  3. A user name without a domain gets DefaultDomain.
//  4. A domain that is not in the table is rejected.
//  5. A user with an entry in the map is checked against it, always.
//  6. Any other user is checked as the domain says: refused (after as much
//     work as a wrong password costs), or asked for at the domain's mail server.
//
// # Outcomes
//
// A request is ok, rejected, or a temporary failure; what the code can't tell is a
// temporary failure, and so is a panic. The client is told the same for each
// rejection; the reason goes to the log.
//
// # Limits
//
//	MaxHashWait   20 s   that a login waits for its turn to compute a hash
//
// and Hashing, the number of hashes computed at a time: each may take 64 MiB, and twice
// that until it is collected.
package auth
