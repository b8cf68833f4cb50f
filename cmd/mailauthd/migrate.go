package main

// migrateCommands returns the commands after "mailauthd migrate".
func migrateCommands() []command {
	return []command{
		{"php", "FILE", "print the configuration that takes the place of an auth.php", migratePHP},
		{"log", "FILE...", "compare the logins in an old auth.log with the configuration", migrateLog},
	}
}

func manageMigration(c *call) error { return c.runOneOf(migrateCommands()) }
