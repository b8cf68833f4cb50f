// Package upstream logs in to a mail server to find out whether a password is right.
//
// It speaks POP3 (RFC 1939, RFC 5034), IMAP (RFC 3501) and SMTP (RFC 4954), and proves
// the password by CRAM-MD5 (RFC 2195): the password itself never crosses the wire. A
// login is one connection and one dialogue:
//
//	S: * OK Axigen IMAP4rev1 service is ready
//	C: 001 AUTHENTICATE CRAM-MD5
//	S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
//	C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
//	S: 001 OK AUTHENTICATE completed
//	C: 002 LOGOUT
//
// # Outcomes
//
// A login is good only if the server completes this dialogue positively: "+OK", a
// tagged OK or 235, in answer to the digest of its own challenge. It is refused
// ([ErrRejected]) only if the server then says so definitely:
//
//	POP3  -ERR, but not [SYS/TEMP] or [IN-USE] (RFC 3206, RFC 2449)
//	IMAP  tagged NO, but not [UNAVAILABLE] or [INUSE] (RFC 5530)
//	SMTP  535
//
// Everything else, and everything that happens before the digest was sent, is any
// other error: the password was not judged.
//
// # Limits
//
//	ConnectTimeout  5 s, unless configured   to a TCP connection
//	Timeout         20 s, unless configured  the whole login, connecting included
//	MaxLine         8192 bytes     one line of the server
//	MaxLines        100            all lines of one dialogue
//
// net/textproto reads lines without a bound, so lines are read here.
package upstream
