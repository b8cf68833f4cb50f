// Package authlog writes auth.log, and reads it. [Log.Write] appends one [Event] for each request of nginx. A [Decoder] turns
// lines back into events.
//
// # Formats
//
// The format "legacy" has auth.php's layout: several lines for one event. A line has the
// local time with microseconds, the name of a header, and its value from column 16 on. The
// backend_ip, backend_port and "Auth reply" lines are left out if they would be empty. The
// last line is what the client was told. An entry that is not OK has a [Reason] before it,
// which auth.php did not write, and after the reason the counter of the throttle that is
// over its limit, if there is one.
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
// The end of an entry that is not OK:
//
//	20261123 12:09:43'014912: Reason:        policy throttle=pair
//	20261123 12:09:43'014912: Auth-Status:   Invalid login or password
//
// The formats "logfmt" and "json" have one line for each event, and more fields. The names
// and their order are always these:
//
//	time           start of the request, RFC 3339 with microseconds
//	auth_method auth_user auth_salt auth_protocol client_ip auth_ssl
//	               as nginx sent them, unescaped
//	server         the mail server's name in the configuration
//	backend_ip backend_port auth_reply
//	               as above, absent if legacy has no such line
//	auth_status    "OK", or the text that the client was told
//	outcome        ok, reject, tempfail
//	reason         a [Reason], absent with ok
//	error          details for the administrator, absent if there are none
//	password_label the label of the password that was right, absent if it has none
//	throttle       the counter that is over its limit, absent if there is none
//	cache          "hit" or "stale" if the answer came from the cache, else absent
//	duration_us    microseconds from request to decision
//
// # What is never written
//
// An Event holds no password. A byte that is not UTF-8, or of a character that is not
// printable, is written as \xNN. So a line break in a user name cannot forge an entry, and no
// value can control a terminal. A backslash that would read as the beginning of such an
// escape is written as \x5c, so that the original value can be recovered. A value is cut
// after [MaxValue] bytes.
//
// # The file
//
// Each event is written by one write, so that entries do not mix. The file is rotated by
// size, and the new file gets the mode of the old one, as far as the umask allows. After
// another program has moved the file, [Log.Reopen] opens a new one. An existing file that
// cannot be opened, for example because the process has no file descriptor left, is rotated
// as if it were full. Only one process may write a file: two would overwrite each other's
// entries.
//
// If an event cannot be written, it is lost and counted ([Log.Lost]). Logins go on, and a
// warning is logged to standard error at most once a minute. When events are written again,
// a message has the number of those that were lost. If a full disk cuts an entry short, what
// was written of it is removed. Where that fails, or if the process ended before, the next
// entry begins on a new line.
//
// In every format, the cause of a temporary failure is logged to standard error as well, at
// most once a minute for each server, passdb, method and reason.
package authlog
