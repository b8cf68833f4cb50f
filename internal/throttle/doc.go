// Package throttle slows down password guessing. It counts failed logins by the client's
// network, by user, and by the pair of both. [Throttle.Allow] reports whether a login may be
// tried at all, before a hash is computed or a mail server is asked.
//
// The terms are those of Dovecot (penalty, trusted networks; see "Authentication Penalty" in
// its manual) and weakforced (allow, report, different failed passwords).
//
//	[Throttle.Allow]    before a login is tried: may it be tried, and how long should a refusal wait
//	[Throttle.Fail]     the password was wrong, or there is no such user
//	[Throttle.Succeed]  the password was right
//
// Call neither Fail nor Succeed for a login that ended as a temporary failure, because nothing
// is known about its password. [Throttle.ForgetUser] and [Throttle.ForgetNetwork] take failures
// back for an administrator.
//
// # What counts
//
// A wrong password counts if it is new: one in each of the three counters. So one password
// tried on a thousand users is a thousand failures of that network.
//
// A password is new unless it is one of the last 8 wrong passwords of its user, or of its pair.
// A repeated password does not count anywhere. So a mail program that repeats an old password,
// from one network or from several, does not lock out its user. An attacker who repeats a
// password learns nothing.
//
// The passwords are stored as 16 bits of a hash, whose key is random in each process, or derived from the secret of the
// machines that count together. That is too little to learn a password from. Fewer than one new password in 4,000 is taken for a
// repeated one.
//
// A network is the client's address, or for IPv6 its /64. All clients without a valid address
// are one network. Clients in a trusted network (webmail, monitoring) are always allowed and
// never counted, also not by user. Such a network must slow down password guessing itself.
//
// # Decay
//
// A count n decays to n·2^(-t/h) after a time t, with the half-life h. It is over its limit L
// while it is more than L - ½. So L failures reach the limit although the first of them have
// decayed a little. From then on the decay allows one guess at a time, with the interval
// h·log2((L + ½)/(L - ½)). With the defaults, h = 1h:
//
//	              limit  then per hour   interval  on the first day
//	by pair          10              7  9 minutes               176
//	by user          30             21  3 minutes               529
//	by network      100             69   1 minute             1,762
//
// The decay is linear in n: what a pair has added to the count of its network decays alike in
// both, and can be taken back exactly.
//
// The penalty is how long the response to a failed login should wait. The penalty grows with the
// fullest counter that applies to the login, from Penalty at 0 to MaxPenalty at the limit, by
// the same factor for each failure. The penalty decays with that counter.
//
// # Success
//
// A success clears the count of its pair, and takes back what the pair has added to its
// network, because the user has only mistyped the password. It takes back nothing else. So an
// attacker who has an account cannot clear the count of a network by logging in between
// guesses.
//
// A success also adds the network to the user's last 8 known networks. The count by user does
// not apply to logins from a known network; the counts by pair and by network do. So a user whose
// password is guessed from all over the world can still log in from home. [Verdict] reports
// whether the network is known or trusted, so that such logins can go first.
//
// # Promises
//
//   - The cost of Allow, Fail and Succeed does not depend on the content of the tables: see the
//     benchmark. They are safe for concurrent use.
//   - Each of the four tables (networks, users, pairs, known networks) has at most MaxEntries
//     entries of about 185 bytes, also under attack. Names and addresses are stored as hashes
//     with a secret key, so their length does not matter. The names of at most MaxHeld counters that refuse logins
//     are kept for [Throttle.Held].
//   - A full table evicts its least recently used entry. A refused attempt counts as a use. Only
//     failures that Allow has allowed make entries. To evict one counter, an attacker must fail
//     from MaxEntries other networks, or on as many other users.
//   - The known networks have a table of their own, with one entry for each user. To evict an
//     entry takes MaxEntries accounts with their passwords; failures evict none. An attacker who
//     has one account can only evict the known networks of that account.
//   - No count exceeds 16 times its limit. So a counter is no longer over its limit 4 half-lives
//     after the last failure.
//   - The result of Allow does not depend on whether the user exists, or whether the password is
//     right.
//   - A clock that is set back does not throttle a user for longer. A clock that is set forward
//     lets throttled users log in early.
//
// # Limits
//
//   - Concurrent logins do not see each other's failures. So call Allow when a login gets its
//     slot, not when it begins to wait for one. Failures beyond a limit take longer to decay. They
//     are at most as many as hashes are computed, or connections to a mail server are open, at
//     the same time.
//   - An attacker who keeps guessing the password of a user from many networks locks that user
//     out of all networks that are not known. Those are the networks where the user has not
//     logged in since the process began, and those that 8 others have replaced. A higher limit by
//     user makes such an attack more expensive, and guessing cheaper.
//   - Clients behind one address share a count. An attacker among them can lock out the others
//     for as long as the guessing goes on.
//   - The response of a CRAM-MD5 or APOP login is different each time. Pass it as the password;
//     then each failure counts, also those of a program that repeats an old password.
//   - A reload with a smaller MaxEntries delays logins while entries are evicted, by a second for
//     a million entries. Forgetting a user or a network delays logins while all pairs are read.
//   - Without shared counters, all counts are lost when the process ends.
//
// # Several machines
//
// A Throttle of [NewShared] keeps its counters in Redis (package redisdb), so that all machines count together. The
// promises above then are those of all machines, with Redis's clock. Allow costs one round trip. Fail costs another one,
// and so does Succeed, unless it would change nothing. Each change is one atomic script, in lua/*.lua.
//
// The tables of the process hold what the process has last seen in Redis. While Redis does not answer, the process goes on
// with them: it refuses what it has seen to be over a limit, and knows the networks that it has seen. Guesses that are
// spread over N machines then have up to N times the limits. What is counted meanwhile is kept, at most MaxUnsent failures
// and successes, and sent when Redis answers.
//
// If Redis has lost its data, each process brings back what it has seen there. Of several processes the one that has seen a
// counter last has the right count.
//
// Redis removes the counters of a network, a user or a pair 24 half-lives after the last failure, but not before a day
// has passed. It removes the known networks of a user 90 days after the last login. The number of keys is not bounded by
// MaxEntries, but by the rate of guesses that the limits allow, and by Redis's maxmemory.
package throttle
