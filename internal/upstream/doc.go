// Package upstream checks passwords by logging in to a mail server.
//
// It speaks POP3 (RFC 1939, RFC 5034), IMAP (RFC 3501) and SMTP (RFC 4954). The default is
// CRAM-MD5 (RFC 2195) without TLS: it proves the password without sending it. A login is one
// connection and one dialogue:
//
//	S: * OK Axigen IMAP4rev1 service is ready
//	C: 001 AUTHENTICATE CRAM-MD5
//	S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
//	C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
//	S: 001 OK AUTHENTICATE completed
//	C: 002 LOGOUT
//
// [Server.Login] does all of it. [Server.Open] does everything that needs no user, so that
// [Conn.Login] takes only the round trips of the authentication. Before a login on a connection
// that was kept, call [Conn.Usable]. Do not keep a connection for longer than the server lets it
// be idle. [Server.Probe] reports what a server offers, without a login.
//
// # Pool
//
// [Pool.Login] does the same as [Server.Login], and bounds the number of connections to one
// server. It can keep warm connections: they are opened in advance, up to the point where a user
// is needed. A login takes a warm connection with the same protocol, address and settings. After
// a login that the server has decided, the pool replaces missing warm connections in the
// background.
//
// Warm connections count against the bound, but no login waits for them. For a login that needs
// a slot the pool closes the oldest one. If there is none, it gives up those that it is opening.
// A warm connection that ends unused is replaced only if there was a login with the same
// protocol, address and settings in the last minutes. If the server has closed a warm connection
// without a word, the pool repeats the login on a fresh one, even if the password was already
// sent.
//
// A pool does not decide which login waits for which. A caller that wants to decide that admits
// no more logins at a time than there may be connections. Further logins wait for a slot until
// their deadline ([ErrBusy]).
//
// # TLS
//
//	none      without TLS
//	starttls  STARTTLS, or STLS in POP3, after the greeting
//	implicit  from the first byte; usually ports 993, 995 and 465
//
// TLS is 1.2 or newer. The certificate is verified against the CAs of the system, or those in
// [TLS], and the server's name. If a SHA-256 fingerprint is set, only that is compared; name,
// CAs and dates are not checked.
//
// With starttls nothing goes on without TLS. A login fails if the server does not offer STARTTLS,
// refuses it, or has sent anything unencrypted after its go-ahead. The capabilities from before
// TLS are discarded, and requested again.
//
// # Mechanisms
//
// The strongest first, which is the order of "auto":
//
//	                   round trips   the password
//	SCRAM-SHA-256      3 or 4        proved; the server proves that it knows it, too
//	SCRAM-SHA-1        3 or 4        the same
//	CRAM-MD5           2             proved
//	APOP        POP3   1             proved by a weak digest
//	PLAIN              1 or 2        sent
//	LOGIN              3             sent
//	IMAP-LOGIN  IMAP   1             sent; a round trip more for a string that is not ASCII
//	USER        POP3   2             sent, by USER and PASS
//
// The smaller number of round trips needs a server that accepts an initial response (SASL-IR),
// and a response that fits into the command. SCRAM ends with an empty response of the client,
// which is counted here. A mechanism that sends the password is used only with TLS, to a
// loopback address, or with AllowCleartext. Otherwise it is left out of the list.
//
// A login uses the first mechanism in the list that the protocol has and the server offers. The
// server is asked what it offers in SMTP, with TLS, for "auto" and for IMAP-LOGIN. An IMAP
// greeting that lists capabilities counts too. If nothing is known, the mechanisms are tried in
// order until the server begins one. "auto" uses only what is offered. A time stamp in the
// greeting offers APOP. Some servers show one without supporting APOP, and refuse every such
// login. Configure their mechanisms by name.
//
// # Outcomes
//
// A login succeeds only if the server completes this dialogue positively: "+OK", a tagged OK or
// 235, in answer to the proof or the password. With SCRAM the server must have sent its own
// signature before. A login is refused ([ErrRejected]) only if the server then answers:
//
//	POP3  -ERR, but not [SYS/TEMP], [SYS/PERM], [IN-USE] or [LOGIN-DELAY]
//	      (RFC 3206, RFC 2449)
//	IMAP  tagged NO, but not [UNAVAILABLE], [INUSE], [PRIVACYREQUIRED], [LIMIT],
//	      [SERVERBUG], [CORRUPTION], [CLIENTBUG] or [CANNOT] (RFC 5530)
//	SMTP  535
//
// With a SASL mechanism, "then" is after the user name was sent, because a server may know at
// once that there is no such user. With a command it is after the password was sent. An "e="
// error of SCRAM alone decides nothing, because the answer of the protocol follows. That answer
// is no refusal if the error is not about the password, such as "no-resources".
//
// Every other answer, and every earlier one, is another error: the password was not checked.
//
// An error is [Unreachable] if the connection could not be made or broke before any part of the
// login was sent: while connecting, in TLS, in the greeting, in the capabilities, or in the
// command that names the mechanism. Parts of the login are a user name, an initial response, and
// the length of a literal. After one of them was sent, no error is Unreachable. A client can make
// a server close the connection or time out with an odd user name, and that must not set the
// server aside for all other users.
//
// # Limits
//
//	ConnectTimeout  5 s, unless configured   to open a TCP connection
//	Timeout         20 s, unless configured  the whole login, connecting included
//	MaxLine         8192 bytes     one line of the server
//	MaxLines        100            lines of the server in one dialogue
//	MinIterations   4096           the fewest SCRAM iterations that a server may ask for
//	MaxIterations   1,000,000      the most; they end with the deadline of the login, and
//	                               [Server].Compute may bound how many logins iterate at a time
//	goodbyeTimeout  1 s            to send the goodbye, whose answer is not read
//
// Limits of a [Pool]:
//
//	MaxConnections  100, unless configured   connections at a time, warm ones included
//	Timeout         20 s, unless configured  the whole login, waiting for a slot included
//	warm            none, unless configured  warm connections of a key: a protocol, an address
//	                                         and its settings
//	WarmTTL         1 min, unless configured how long a connection is kept warm
//	maxKeys         16                       keys with warm connections; the least recently used
//	                                         one is evicted
//	demandFor       5 min                    how long after its last login a key has warm connections
//	minOpenWait     1 s                      the pause after a failure in the background; doubles
//	maxOpenWait     1 min                    the longest pause
//
// net/textproto reads lines of any length, so this package reads lines itself.
package upstream
