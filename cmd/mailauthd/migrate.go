package main

import (
	"fmt"
	"strings"
)

// migrateCommands returns the commands after "mailauthd migrate".
func migrateCommands() []command {
	return []command{
		{"php", "FILE", "print the configuration that takes the place of an auth.php", migratePHP},
		{"log", "FILE...", "compare the logins in an old auth.log with the configuration", migrateLog},
	}
}

func manageMigration(c *call) error {
	c.command.args = "COMMAND"
	c.newFlags()
	if len(c.args) == 0 {
		return usageError("want one of these commands:\n" + c.migrateHelp())
	}
	for _, cmd := range migrateCommands() {
		if cmd.name == c.args[0] {
			cmd.name = "migrate " + cmd.name
			c.command, c.args = cmd, c.args[1:]
			return cmd.run(c)
		}
	}
	if isHelp(c.args[0]) {
		fmt.Fprint(c.stdout, "usage: mailauthd migrate COMMAND [flags] [arguments]\n\n"+c.migrateHelp())
		return nil
	}
	return usageError(fmt.Sprintf("unknown command %q; known:\n%s", c.args[0], c.migrateHelp()))
}

func (c *call) migrateHelp() string {
	var b strings.Builder
	for _, cmd := range migrateCommands() {
		fmt.Fprintf(&b, "  %-18s %s\n", cmd.name+" "+cmd.args, cmd.summary)
	}
	return b.String()
}
