// Package upstream logs in to a mail server to find out whether a password is right.
//
// It speaks POP3 (RFC 1939, RFC 5034), IMAP (RFC 3501) and SMTP (RFC 4954). Unless told
// otherwise it proves the password by CRAM-MD5 (RFC 2195), in clear: the password itself
// never crosses the wire. A login is one connection and one dialogue:
//
//	S: * OK Axigen IMAP4rev1 service is ready
//	C: 001 AUTHENTICATE CRAM-MD5
//	S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
//	C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
//	S: 001 OK AUTHENTICATE completed
//	C: 002 LOGOUT
//
// [Server.Login] is all of it. [Server.Open] goes as far as no user is needed, so that
// [Conn.Login] costs only the round trips of the authentication; a connection that was
// kept in between is to be asked whether it is still [Conn.Usable], and must not be kept
// for as long as the server waits. [Server.Probe] looks what a server offers.
//
// # Pool
//
// [Pool.Login] does the same with a bound on the connections to one server, and with warm
// ones if it is to keep some: greeted, and by TLS, ahead of need. A login takes one of
// the same protocol, address and settings, so that it costs only the authentication; after a
// login that the server has decided, what is missing is opened in the background. Warm
// connections count against the bound, too, but never keep a login waiting: the oldest
// one is closed, and what is just being opened is given up, where a login needs the slot. A warm
// connection that ends unused is replaced while there were logins of its protocol, address and settings
// in the last minutes. If the server has left one without a word, that costs a fresh connection, not
// the login, even if the password was on its way.
//
// The caller decides which login waits for which: it is to admit no more logins at a time than there
// may be connections. Of more, those that find no slot wait for one until their time ends ([ErrBusy]).
//
// # TLS
//
//	none      in clear
//	starttls  STARTTLS, or POP3's STLS, after the greeting
//	implicit  from the first byte; mostly ports 993, 995 and 465
//
// TLS is 1.2 or newer. The certificate is verified by the CAs, the system's or those of
// [TLS], for the server's name; or by its SHA-256 fingerprint, and then by nothing else,
// not even its dates. A server that does not offer STARTTLS, refuses it, or has said
// anything in clear after its go-ahead fails the login: nothing goes on in clear. What
// it offered in clear is forgotten, and asked for again by TLS.
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
//	PLAIN              1 or 2        shown
//	LOGIN              3             shown
//	IMAP-LOGIN  IMAP   1             shown; a round trip more for a string not in ASCII
//	USER        POP3   2             shown, by USER and PASS
//
// The smaller number is where the server takes an initial response (SASL-IR) and it fits
// the command's length. SCRAM ends with an empty response of the client, counted here.
// What shows the password goes only by TLS, to a loopback address, or with
// AllowCleartext; it is left out of the list otherwise.
//
// The first mechanism of the list that the protocol has and the server offers is used.
// The server is asked what it offers in SMTP, by TLS, for "auto" and for IMAP-LOGIN; an
// IMAP greeting that says so counts, too. Where nothing is known the mechanisms are tried in
// order, until the server begins one. "auto" uses only what is offered. As for APOP, a time stamp in
// the greeting is the offer: a server that shows one without knowing APOP refuses
// everybody, and wants its mechanisms by name.
//
// # Outcomes
//
// A login is good only if the server completes this dialogue positively: "+OK", a
// tagged OK or 235, in answer to the proof or the password; with SCRAM, only after it has
// shown its own signature. It is refused ([ErrRejected]) only if the server then says so
// definitely:
//
//	POP3  -ERR, but not [SYS/TEMP], [SYS/PERM], [IN-USE] or [LOGIN-DELAY]
//	      (RFC 3206, RFC 2449)
//	IMAP  tagged NO, but not [UNAVAILABLE], [INUSE], [PRIVACYREQUIRED], [LIMIT],
//	      [SERVERBUG], [CORRUPTION], [CLIENTBUG] or [CANNOT] (RFC 5530)
//	SMTP  535
//
// "Then" is after the user name was sent in a SASL mechanism, for a server may know at
// once that there is no such user; with commands, after the password was. SCRAM's own
// "e=" error decides nothing alone: the protocol's answer follows, and is no refusal where the
// error is not one of the password's, such as "no-resources".
//
// Everything else, and everything that happens before, is any other error: the password
// was not checked.
//
// An error is [Unreachable] if the server was not reached, or broke off, before anything of
// the login was sent: while connecting, in TLS, the greeting, the capabilities, or the command that names
// the mechanism. After the first line with a part of the login, such as a user name, an initial response or
// a literal's length, no error is. A client can make a server close the connection or time out
// by an odd name, and that must not set the server aside for all others.
//
// # Limits
//
//	ConnectTimeout  5 s, unless configured   to a TCP connection
//	Timeout         20 s, unless configured  the whole login, connecting included
//	MaxLine         8192 bytes     one line of the server
//	MaxLines        100            all lines of one dialogue
//	MinIterations   4096           SCRAM's, as the server asks for
//	MaxIterations   1,000,000      and they end with the time of the login; [Server].Compute may bound
//	                               how many logins iterate at a time
//	goodbyeTimeout  1 s            to send the goodbye; its answer is not waited for
//
// Those of a [Pool]:
//
//	MaxConnections  100, unless configured   at a time, the warm ones included
//	Timeout         20 s, unless configured  waiting for a slot included
//	warm            none, unless configured  for each key: a protocol, an address and its settings
//	WarmTTL         1 min, unless configured a warm connection
//	maxKeys         16                       with warm ones; that of the least recent login is dropped
//	demandFor       5 min                    after a key's last login it has no warm ones
//	minOpenWait     1 s                      after a failure in the background, doubled
//	maxOpenWait     1 min                    with each, up to this
//
// net/textproto reads lines without a bound, so lines are read here.
package upstream
