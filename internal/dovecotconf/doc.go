// Package dovecotconf reads a configuration of Dovecot, and makes the sections of its password databases in SQL and LDAP.
//
// [Convert] reads two kinds of files: those of Dovecot 2.3 that the args of a passdb name, such as dovecot-sql.conf.ext,
// and those of Dovecot 2.4 that have the passdb itself:
//
//	driver = pgsql                                         passdb sql {
//	connect = host=db1 dbname=mail user=u password=p         sql_driver = pgsql
//	password_query = SELECT … WHERE name = '%u'              query = SELECT … WHERE name = '%{user}'
//	                                                       }
//
// Lines are read as Dovecot reads them: comments, lines that end with a backslash, values in quotes. Included files are
// not read, and neither are values that begin with "<" or "$", which Dovecot takes from elsewhere.
//
// # What becomes of the values
//
// A query gets its variables without quotes, because they are bound parameters here. Quotes are removed only if they hold
// a single variable. PostgreSQL's connection string keeps its words, MySQL's becomes the one of its driver. A string with
// a password, and the password of auth_dn, are not in the section but in a [Secret], which belongs into a file of its own.
//
// What does not become a key is a [Finding]. So is what [sqldb.New] or [ldapdb.New] would refuse. No finding has a
// secret in it, nor a text that may be a part of one.
//
// # Limits
//
//	MaxFile    1 MiB  a configuration
//	maxDepth   16     blocks within blocks
//	maxPassdbs 64     databases in one file
//
// The facts are from Dovecot's source and manual: settings.c, db-sql.c, db-ldap.c, driver-mysql.c and driver-pgsql.c of
// 2.3, db-ldap-settings.c and the page "Upgrading Dovecot CE from 2.3 to 2.4" of 2.4.
package dovecotconf
