package main

import "mailauthd/internal/dovecotconf"

// migrateCommands returns the commands after "mailauthd migrate".
func migrateCommands() []command {
	return []command{
		{name: "php", args: "FILE", summary: "print the configuration that takes the place of an auth.php", run: migratePHP},
		{name: "dovecot-sql", args: "FILE", summary: "print the section for the users of a dovecot-sql.conf.ext", run: migrateDovecot(dovecotconf.SQL)},
		{name: "dovecot-ldap", args: "FILE", summary: "print the section for the users of a dovecot-ldap.conf.ext", run: migrateDovecot(dovecotconf.LDAP)},
		{name: "log", args: "FILE...", summary: "compare the logins in an old auth.log with the configuration", run: migrateLog},
	}
}
