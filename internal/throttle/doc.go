// Package throttle slows down who guesses passwords. It counts failed logins by the
// client's network, by user, and by the pair of both, and tells whether a login may be
// tried at all, before a hash is computed or a mail server asked.
//
// The words are Dovecot's (penalty, trusted networks; see its "Authentication
// Penalty") and weakforced's (allow, report, different failed passwords).
//
//	[Throttle.Check]    before a login is tried: is it allowed, how long should a refusal wait
//	[Throttle.Fail]     the password was wrong, or there is no such user
//	[Throttle.Succeed]  it was right
//
// An administrator can take failures back: [Throttle.ForgetUser], [Throttle.ForgetNetwork].
//
// A login that ended as a temporary failure is none of these: nothing is known of it.
//
// # What counts
//
// A wrong password that has not been tried before. The last 8 wrong passwords of
// each user, and of each pair, are remembered as 16 bits of a hash with a key that
// is random in each process: too few bits to learn a password from. A password
// found there counts nowhere, so a mail program that repeats an old password, from
// one network or from several, does not lock its owner out; an attacker who repeats one
// learns nothing. (Fewer than one new password in 4,000 is taken for one of those.) Any
// other failure counts one in each of the three counters. So one password tried on a
// thousand users is a thousand failures of that network.
//
// A network is the client's address, or for IPv6 its /64. All clients without
// a valid address are one network. Networks that are trusted (webmail, monitoring) are always
// allowed and never count, also not by user: they have to hold back guessers themselves.
//
// # Decay
//
// A count n is worth n·2^(-t/h) after a time t, with the half-life h. It is over its
// limit L while it is more than L - ½, so that L failures reach it though the first of them
// have decayed a little. From then on guesses pass one by one as it decays,
// h·log2((L + ½)/(L - ½)) apart. With the defaults, h = 1h:
//
//	              limit  then per hour      apart  on the first day
//	by pair          10              7  9 minutes               176
//	by user          30             21  3 minutes               529
//	by network      100             69   1 minute             1,762
//
// The decay is linear in n: what a pair has added to its network decays in both alike, and
// can be taken back exactly.
//
// The penalty, how long the answer to a failure should wait, grows as a counter fills:
// from Penalty at 0 to MaxPenalty at the limit, by the same factor for each failure, and
// decays with it. The fullest counter decides.
//
// # Success
//
// A success clears its pair, and takes back from its network what that pair
// had added: the user has mistyped. It takes back nothing else, so an attacker who has
// an account cannot clear a network by logging in to it between guesses. And the
// network is remembered as one of the user's last 8 networks: from there the count by
// user no longer holds the user back. So the victim of guesses from all over the world can
// still log in from home, where the limits by pair and by network remain. [Verdict] tells
// whether the network is one of them, or trusted, so that such logins can go first.
//
// # Promises
//
//   - Check, Fail and Succeed cost the same whatever is in the tables: see the
//     benchmark. They may be called by any number of goroutines.
//   - Each of the four tables (networks, users, pairs, users' networks) has at most
//     MaxEntries entries of about 170 bytes, also under attack. Names and
//     addresses are kept as hashes with that same key, so their length does not matter.
//   - The least recently used entry is dropped first; a refused attempt is a use. Only
//     failures that Check has allowed make entries. To push out one counter an
//     attacker has to fail from MaxEntries other networks, or on as many other users.
//   - Users' networks stand in a table of their own, with one entry for each user. To push
//     one out takes MaxEntries accounts with their passwords, and no number of
//     failures; who owns one account pushes out that account's networks only.
//   - No count exceeds 16 times its limit. So after the last failure a
//     counter is no longer over its limit within 4 half-lives.
//   - Whether the user exists and whether the password is right make no difference to
//     what Check says.
//   - A clock that jumps back holds nobody back for longer; one that jumps forward ends waiting.
//
// # Limits
//
//   - Logins that are being decided at the same time do not see each other: call Check
//     when a login's turn has come, not when it begins to wait for it. What they add
//     beyond a limit takes longer to decay. (Of hashes that are as many as are computed at a
//     time; at a mail server as many as may connect to it.)
//   - Who keeps guessing at a user from many networks keeps that user out of networks
//     where the user has not logged in since the process began, or which 8 others have
//     followed. A higher limit by user makes that dearer, and guessing cheaper.
//   - Clients behind one address share a count. An attacker among them can keep
//     the others out for as long as the guessing goes on.
//   - The response of a CRAM-MD5 or APOP login is never the same twice. Pass it as the
//     password: each failure then counts, also those of a program that repeats an old one.
//   - A reload with a smaller MaxEntries holds up logins while entries are dropped: a second
//     for a million. Forgetting a user or a network does so while all pairs are looked at.
//   - Everything is forgotten when the process ends, and nothing is known of other machines.
package throttle
