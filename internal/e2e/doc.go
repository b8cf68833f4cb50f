// Package e2e tests mailauthd in a real deployment, with the programs that an
// administrator runs around it:
//
//	curl, Python --TLS--> nginx mail {} --HTTP--> nginx http {} or Apache --FastCGI--> mailauthd
//	                           |                                                           |
//	                           '------------------------> Dovecot <---- checks the login --'
//	                                                         |
//	                                        what SMTP sends: a sink in the test
//
// For mail from outside, which needs no login, Postfix replaces Dovecot.
//
// The package has only tests. All programs listen on free ports of 127.0.0.1, keep their files in a
// temporary directory, and are stopped at the end of the test.
//
// # What is started
//
//	mailauthd  built once, from ./cmd/mailauthd (with -race if the tests are); listens for
//	           FastCGI on a unix socket and on TCP, and for HTTP, at the same time
//	nginx      the mail proxy, with contrib/nginx/mail.conf as it is, or with everything that its comments
//	           offer and mail-mx.conf; and a web server, with contrib/nginx/auth-fastcgi.conf
//	Apache     a web server, with contrib/apache/mailauthd-unix.conf or -tcp.conf; and one
//	           with mod_php and testdata/auth.php, as in a deployment of auth.php
//	lighttpd   a web server, with testdata/lighttpd.conf
//	Dovecot    a mail server for imap, pop3 and submission; offers PLAIN, LOGIN and CRAM-MD5, and a
//	           master login; its tool doveadm makes hashes
//	Postfix    a mail exchanger, and a mail server that checks passwords
//	PostgreSQL, MariaDB and OpenLDAP
//	           databases with the users of README.md's examples
//	Redis      one server, with Sentinels, or a cluster: what several mailauthd share
//	curl       the mail client; Python's imaplib, poplib and smtplib speak the commands that curl does not
//	           prefer with any option: IMAP LOGIN and POP3 USER/PASS
//	fail2ban   only its test tool, with contrib/fail2ban, on logs that package authlog writes
//	rsyslog    sends auth.log to a test, with contrib/rsyslog
//
// The files in contrib/ are used as they are: [site.relocate] replaces only the ports, sockets and
// certificate.
//
// # Running
//
//	go test ./internal/e2e/
//	go test -run 'WebServers/apache-unix/dovecot-running/imap_plain' -v ./internal/e2e/
//	go test -run Snippets ./internal/e2e/
//	go test -run TestThroughput -v ./internal/e2e/ -throughput
//	go test -run PassdbThroughput -v ./internal/e2e/ -throughput
//	go test -run IMAPLogins -v ./internal/e2e/ -throughput
//	go test -run ReloadsUnderLoad -v ./internal/e2e/ -throughput
//	go test -run RedisThroughput -v ./internal/e2e/ -throughput
//	go test -run Guessing -v ./internal/e2e/ -guessing
//	go test -run RedisFaults -v ./internal/e2e/ -guessing
//
// make bench runs the last seven. Without their flags TestReloadsUnderLoad, TestRedisFaults and those of guesses make a small
// part of the logins and guesses, and the others are skipped.
//
// Most tests run in parallel. Those that measure times, such as TestHostilePeers and TestFloodAtServer, do not: they run one
// after the other before these, and make test runs this package when all others have ended. Several runs on one
// machine do not share ports (package testport). Programs that are built with the race detector run with
// GORACE=atexit_sleep_ms=0, because each would exit a second later without.
//
// A test that fails prints the ends of the logs of its programs. Every test fails if
// mailauthd does not exit with status 0, or if a password is in its log or its messages. To find
// them, all passwords contain the same word.
//
// # Several machines
//
// TestGuessingSharedByHosts and one part of TestRedisFaults run each machine in a network namespace, with names that begin
// with "e2e-", and remove the namespaces. The others run several mailauthd beside each other. Redis's clock is set by a
// library for LD_PRELOAD, testdata/clock.c.
//
// # Running out
//
// The tests in runout_*_test.go take something away from the running program: file descriptors and disk
// space (by prlimit), the log's directory or the permission to write to it (by setpriv), a valid
// configuration, or its sockets. They also kill it under load. They send their requests to mailauthd
// directly.
//
// # What is skipped
//
// A test is skipped if a program that it needs is not installed, or if it is not run by root, because
// the servers change to other users. With CI=true in the environment both are failures.
//
// On Debian:
//
//	apt-get install nginx-light libnginx-mod-mail apache2 libapache2-mod-php lighttpd dovecot-imapd \
//	    dovecot-pop3d dovecot-submissiond postfix curl python3 fail2ban rsyslog postgresql mariadb-server slapd \
//	    redis-server redis-sentinel iproute2
package e2e
