// Package logfile reads log files line by line in bounded memory, and finds the rotated ones.
//
// A log may be compressed by gzip, whatever its name. [Rotated] knows the names that mailauthd and logrotate give to rotated
// files:
//
//	auth-2026-11-28T10-00-00.000.log   mailauthd
//	auth.log.1                         logrotate
//	auth.log-20261128                  logrotate with dateext
//
// Each may end with ".gz". Files that other programs have compressed cannot be read.
package logfile
