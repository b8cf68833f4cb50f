package main

import "mailauthd/internal/dovecotconf"

// migrateCommands returns the commands after "mailauthd migrate".
func migrateCommands() []command {
	return []command{
		{"php", "FILE", "print the configuration that takes the place of an auth.php", migratePHP},
		{"dovecot-sql", "FILE", "print the section for the users of a dovecot-sql.conf.ext", migrateDovecot(dovecotconf.SQL)},
		{"dovecot-ldap", "FILE", "print the section for the users of a dovecot-ldap.conf.ext", migrateDovecot(dovecotconf.LDAP)},
		{"log", "FILE...", "compare the logins in an old auth.log with the configuration", migrateLog},
	}
}

func manageMigration(c *call) error { return c.runOneOf(migrateCommands()) }
