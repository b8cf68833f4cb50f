// Command mailauthd answers nginx's mail proxy: may this user log in, and which mail
// server is theirs? See README.md for its configuration, and "mailauthd help" for its
// commands.
//
// The exit status is 0 for success, 1 for an error or a negative answer (a refused login, a
// wrong configuration), and 2 for wrong usage.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	exitDone  = 0
	exitNo    = 1
	exitUsage = 2
)

const defaultConfig = "/etc/mailauthd/mailauthd.toml"

// command is one word after "mailauthd".
type command struct {
	name    string
	args    string // after the flags, for the usage line
	summary string
	run     func(c *call) error
	below   []command // that the next word names, instead of run
}

// commands returns all commands, in the order of the help text.
func commands() []command {
	return []command{
		{name: "serve", summary: "answer nginx's requests, in the foreground", run: serve},
		{name: "check", summary: "load the configuration and print what is wrong with it", run: check},
		{name: "test-login", args: "USER", summary: "decide one login as serve would, and print why", run: testLogin},
		{name: "route", args: "USER", summary: "print which server the logins of a user go to, and why", run: routeUser},
		{name: "pw", summary: "hash a password, or test one against a hash", run: hashPassword},
		{name: "user", summary: "add, change, list and import users", below: userCommands()},
		{name: "migrate", summary: "compare with auth.php before the switch", below: migrateCommands()},
		{name: "shadow", args: "[FILE...]", summary: "sum up what the shadow run decided differently", run: sumUpShadow},
		{name: "log", summary: "say from auth.log who failed to log in, and why", below: logCommands()},
		{name: "status", summary: "print what the running mailauthd does", run: printStatus},
		{name: "cache", summary: "make the running mailauthd forget logins", below: cacheCommands()},
		{name: "throttle", summary: "show who is held back, and forget failed logins", below: throttleCommands()},
		{name: "version", summary: "print the version", run: printVersion},
	}
}

// call is one run of a command.
type call struct {
	command
	flags          *flag.FlagSet
	args           []string
	stdin          *os.File
	stdout, stderr io.Writer
}

// errNo ends a command that has printed a negative answer already.
var errNo = errors.New("no")

// usageError ends a command that was called wrongly.
type usageError string

func (e usageError) Error() string { return string(e) }

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		printHelp(stderr)
		return exitUsage
	}
	if isHelp(args[0]) {
		printHelp(stdout)
		return exitDone
	}
	if args[0] == completeCommand {
		complete(args[1:], stdout)
		return exitDone
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			c := &call{command: cmd, args: args[1:], stdin: stdin, stdout: stdout, stderr: stderr}
			return c.exitStatus(c.runCommand())
		}
	}
	if err := flagFirst(args[0], "the command"); err != nil {
		fmt.Fprintf(stderr, "mailauthd: %v\n", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "mailauthd:", unknownCommand(args[0], commands(), `; "mailauthd help" lists them`))
	return exitUsage
}

// runCommand runs the command of the call, or the one below it that the next argument names.
func (c *call) runCommand() error {
	if c.below != nil {
		return c.runOneOf(c.below)
	}
	return c.run(c)
}

// isHelp reports whether an argument asks for help.
func isHelp(arg string) bool {
	return slices.Contains([]string{"help", "-h", "-help", "--help"}, arg)
}

func (c *call) exitStatus(err error) int {
	var usage usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &usage):
		fmt.Fprintf(c.stderr, "mailauthd %s: %v\n", c.name, usage)
		c.usage(c.stderr)
		return exitUsage
	}
	fmt.Fprintln(c.stderr, err)
	return exitNo
}

// newFlags makes the command's flag set.
func (c *call) newFlags() *flag.FlagSet {
	c.flags = flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags.SetOutput(io.Discard) // exitStatus prints errors and usage
	c.flags.Usage = func() {}
	return c.flags
}

func (c *call) configFlag() *string {
	return c.flags.String("config", defaultConfig, "configuration `file`")
}

// parse reads the flags. Exactly n arguments must follow them.
func (c *call) parse(n int) error { return c.parseBetween(n, n) }

// parseBetween reads the flags. The number of arguments after them must be from least to most.
func (c *call) parseBetween(least, most int) error {
	if err := c.flags.Parse(c.args); errors.Is(err, flag.ErrHelp) {
		c.usage(c.stdout)
		return err
	} else if err != nil {
		return usageError(err.Error() + c.nearFlag(err))
	}
	if err := c.checkOrder(); err != nil {
		return err
	}
	n := c.flags.NArg()
	if n >= least && n <= most {
		return nil
	}
	want := fmt.Sprint(most)
	switch {
	case n < least && least < most:
		want = fmt.Sprint("at least ", least)
	case least < most:
		want = "at most " + want
	}
	return usageError(fmt.Sprintf("got %d arguments, want %s", n, want))
}

// checkOrder returns an error if a flag is after an argument. Package flag takes such a flag for an argument.
func (c *call) checkOrder() error {
	args := c.flags.Args()
	if before := len(c.args) - len(args); len(args) == 0 || before > 0 && c.args[before-1] == "--" {
		return nil
	}
	for _, arg := range args[1:] {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if strings.HasPrefix(arg, "-") && c.flags.Lookup(name) != nil {
			return usageError(fmt.Sprintf("the flag -%s is after an argument: flags come first", name))
		}
	}
	return nil
}

// flagFirst reports an argument that must be a command, but is a flag.
func flagFirst(arg, want string) error {
	if strings.HasPrefix(arg, "-") {
		return usageError(fmt.Sprintf("the flag %s is before %s: flags come after it", arg, want))
	}
	return nil
}

func (c *call) usage(w io.Writer) {
	if c.below != nil {
		fmt.Fprintln(w, "usage: mailauthd", c.name, "COMMAND [flags] [arguments]")
		return
	}
	fmt.Fprintln(w, strings.TrimSpace("usage: mailauthd "+c.name+" [flags] "+c.command.args))
	c.flags.SetOutput(w)
	c.flags.PrintDefaults()
	if example := examples()[c.name]; example != "" {
		fmt.Fprintln(w, "example: mailauthd", example)
	}
}

func printHelp(w io.Writer) {
	fmt.Fprint(w, "usage: mailauthd COMMAND [flags] [arguments]\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprint(w, "\n\"mailauthd COMMAND -help\" prints the flags of a command, and an example.\n")
}
