// Package redisdb shares state between machines through Redis, Valkey, or another server that speaks their protocol.
//
//	[Client.Run]       runs a script, within the time that a login may wait for Redis
//	[Client.RunAll]    runs many scripts in the background
//	[Client.Announce]  tells all machines something, such as a flush of the cache
//	[Client.Hash]      hashes a name with the secret, because Redis must not learn names
//	[Inspect]          tries all of this, and warns of settings of Redis that lose data
//
// # Set aside
//
// A client whose Redis does not answer within Timeout sets it aside: [Client.Run] fails at once, and the caller goes on
// with what this machine knows. [Client.Keep] tries Redis again in the background. When Redis answers, Keep first calls
// the function of [Client.OnBack], so that the caller brings in what happened meanwhile, and then uses Redis again. [Handler.Changed] is
// called once for each change.
//
// Any error of Redis sets it aside, also one such as OOM or READONLY, because then counts would be lost.
//
// # The site
//
// The machines that share a prefix are a site. One hash in Redis, the site key, has these fields:
//
//	id      the time when it was made, and a random text; all scripts return it. If it changes, Redis has lost data. If
//	        it is earlier than before, an older state was restored.
//	epoch   the number of announcements. A machine that finds a number that it does not expect has missed one.
//	writes  the number of changes of counters. A machine that finds fewer than it has seen knows that an older state was
//	        restored, such as a snapshot, or a replica that lacked the last changes. It gives the site a new id.
//	generation  the number of times that an older state was restored
//	secret  a fingerprint of the secret. A machine with another secret is refused, because it would count apart.
//
// All keys begin with the prefix and "{1}". The number is the version of what is kept in them. The braces put all keys on
// one slot of a cluster, because a failure changes the counters of a network and of a user at once.
//
// # Secrets
//
// Names and addresses are kept as 64 bits of an HMAC-SHA256 with the secret. Announcements are encrypted by AES-256-GCM
// with a key that is derived from it. So a reader of Redis learns neither who logs in nor from where.
//
// # Limits
//
//	Timeout            as configured   that all calls of Run for one login may take
//	MaxConnections     32              to a server; further calls wait for one, within Timeout
//	BackgroundTimeout  5 s             of one attempt in the background
//	MinRetry           100 ms          until Redis is tried again, doubled after each failure
//	MaxRetry           5 s             the longest time between two attempts; if Redis is set aside again in this time
//	                                   after it was used, the next attempt waits, longer each time
//	CheckInterval      30 s            between two looks at the site
//	SiteTTL            90 days         after the last look of a machine, the site key is removed
//	InspectTimeout     20 s            of an inspection
//	MaxAnnouncements   64              that wait for Redis; if there are more, the other machines drop all answers
package redisdb
