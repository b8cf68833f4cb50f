// Package e2e tests mailauthd in a real deployment, with the programs that an
// administrator runs around it:
//
//	curl, Python --TLS--> nginx mail {} --HTTP--> nginx http {} or Apache --FastCGI--> mailauthd
//	                           |                                                           |
//	                           '------------------------> Dovecot <---- checks the login --'
//	                                                         |
//	                                        what SMTP sends: a sink in the test
//
// For mail from outside, which needs no login, Postfix stands in Dovecot's place.
//
// The package holds tests only. Everything listens on 127.0.0.1, on ports that were free,
// keeps its files in a temporary directory, and is ended with the test.
//
// # What is started
//
//	mailauthd  built once, from ./cmd/mailauthd (with -race if the tests are); listens on
//	           FastCGI over unix and TCP and on HTTP, all at once
//	nginx      in front, with contrib/nginx/mail.conf as it is, or with all that its comments offer and
//	           mail-mx.conf; between, with contrib/nginx/auth-fastcgi.conf
//	Apache     between, with contrib/apache/mailauthd-unix.conf or -tcp.conf
//	lighttpd   between, with testdata/lighttpd.conf
//	Dovecot    imap, pop3 and submission, behind; offers PLAIN, LOGIN and CRAM-MD5, and a master login
//	Postfix    a mail exchanger, behind, and a server that checks passwords; doveadm, of Dovecot, makes hashes
//	curl       the mail client; Python's imaplib, poplib and smtplib speak the commands that curl
//	           cannot be told to prefer: IMAP LOGIN and POP3 USER/PASS
//	fail2ban   its own test tool, with contrib/fail2ban, on logs that authlog writes; the service is not started
//
// The files in contrib/ are used as they are: [site.relocate] puts the test's ports, sockets and
// certificate in the place of those in the file, and nothing else.
//
// # Running
//
//	go test ./internal/e2e/
//	go test -run 'Middles/apache-unix/imap_plain' -v ./internal/e2e/
//	go test -run Snippets ./internal/e2e/
//	go test -run Throughput -v ./internal/e2e/ -throughput
//	go test -run IMAPLogins -v ./internal/e2e/ -throughput
//	go test -run Guessing -v ./internal/e2e/ -guessing
//
// The last three are of make bench. TestGuessing without its flag makes a small part of the guesses.
// TestReloadsUnderLoad is always the whole, and prints what it measured too.
//
// A test fails with the ends of the logs of the programs that it had started. Whatever the test, it
// fails if mailauthd does not end with status 0, or if a password is in its log or its messages: every
// password here contains the same word.
//
// # Running out
//
// The tests in runout_*_test.go take something away from the running program: file descriptors and room on
// the disk (by prlimit), the log's directory or the right to write to it (by setpriv), a configuration
// that can be loaded, its sockets, and its life in the middle of a load. They ask it directly.
//
// # What is skipped
//
// A test is skipped if a program that it needs is not installed, or if it is not run by root: the servers
// change to users of their own. With CI=true in the environment both are failures.
//
// On Debian:
//
//	apt-get install nginx-light libnginx-mod-mail apache2 lighttpd dovecot-imapd dovecot-pop3d \
//	    dovecot-submissiond postfix curl python3 fail2ban
package e2e
