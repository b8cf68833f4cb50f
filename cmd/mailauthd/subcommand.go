package main

import (
	"fmt"
	"strings"
)

// runOneOf runs the command that the first argument names, such as "add" in "mailauthd user add".
func (c *call) runOneOf(commands []command) error {
	group := c.name
	if len(c.args) == 0 {
		return usageError("want one of these commands:\n" + list(commands))
	}
	for _, cmd := range commands {
		if cmd.name == c.args[0] {
			cmd.name = group + " " + cmd.name
			c.command, c.args = cmd, c.args[1:]
			return c.runCommand()
		}
	}
	if isHelp(c.args[0]) {
		fmt.Fprintf(c.stdout, "usage: mailauthd %s COMMAND [flags] [arguments]\n\n%s\nexample: mailauthd %s\n",
			group, list(commands), examples()[group+" "+commands[0].name])
		return nil
	}
	if err := flagFirst(c.args[0], "the "+group+" command"); err != nil {
		return err
	}
	return usageError(unknownCommand(c.args[0], commands, "; known:\n"+list(commands)))
}

// list lists commands with their arguments, one a line.
func list(commands []command) string {
	width := 0
	for _, cmd := range commands {
		width = max(width, len(cmd.name+" "+cmd.args))
	}
	var b strings.Builder
	for _, cmd := range commands {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, cmd.name+" "+cmd.args, cmd.summary)
	}
	return b.String()
}
