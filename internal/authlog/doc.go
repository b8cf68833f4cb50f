// Package authlog writes auth.log: one [Event] for each request of nginx.
//
// # Formats
//
// "legacy" is auth.php's layout, several lines for one event: local time with
// microseconds, the header's name, and its value from column 16 on. backend_ and
// server reply lines stand only where there is something to say; the last line is
// what the client was told.
//
//	20261123 12:09:42'999930: Auth-Method:   plain
//	20261123 12:09:42'999930: Auth-User:     bob@domain1.com
//	20261123 12:09:42'999930: Auth-Salt:
//	20261123 12:09:42'999930: Auth-Protocol: imap
//	20261123 12:09:42'999930: Client-IP:     192.0.2.42
//	20261123 12:09:42'999930: Auth-SSL:      on
//	20261123 12:09:42'999930: backend_ip:    127.0.0.1
//	20261123 12:09:42'999930: backend_port:  143
//	20261123 12:09:43'014912: Auth reply:    001 OK AUTHENTICATE completed
//	20261123 12:09:43'014912: Auth-Status:   OK
//
// "logfmt" and "json" hold the same in one line, with these names, always in this
// order, and add what the old layout has no place for:
//
//	time           start of the request, RFC 3339 with microseconds
//	auth_method auth_user auth_salt auth_protocol client_ip auth_ssl
//	               as nginx sent them, unescaped
//	server         the mail server's name in the configuration
//	backend_ip backend_port auth_reply
//	               as above, absent where legacy has no such line
//	auth_status    "OK", or the text that the client was told
//	outcome        ok, reject, tempfail
//	reason         a [Reason], absent with ok
//	error          details for the administrator, absent if there are none
//	password_label the label of the password that was right, absent if it has none
//	throttle       the counter that is over its limit, absent if there is none
//	cache          "hit" or "stale" for an answer from memory, else absent
//	duration_us    microseconds from request to decision
//
// # What is never written
//
// No password reaches an Event. A byte that is not UTF-8 and a character that is not
// printable is written as \xNN, so that an entry cannot be forged by a line break in a
// user name, nor a terminal be driven by one; a backslash before such an "xNN" in
// the original becomes \x5c, so that what was sent can be read back. A value is
// cut after MaxValue bytes.
//
// # The file
//
// An event is one write, so entries do not mix. The file rotates by size, keeps its mode
// when it does (as far as the umask lets it), and is opened again by [Log.Reopen] after
// somebody else moved it. One that is there and cannot be opened, as for want of file
// descriptors, is moved aside as if it were full. One process writes a file: two would
// overwrite each other's entries.
//
// If it can't be written, the event is lost and counted ([Log.Lost]), logins go on, and
// standard error says so once a minute. What a full disk cut short, before a restart too, is
// ended by a line end of its own, so that the entries after it are whole. Standard error also
// gets the cause of a temporary failure, once a minute for each server, method and reason,
// whatever the format.
package authlog
