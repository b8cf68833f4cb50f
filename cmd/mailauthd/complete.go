package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/logreport"
	"mailauthd/internal/password"
)

// completeCommand is what the files in contrib/completion run. It is not for people, so no table lists it.
const completeCommand = "__complete"

// maxCompletedUsers is the largest number of users that are printed for one word.
const maxCompletedUsers = 1000

// Lines that ask the shell for its own names.
const (
	completeFiles       = ":files"
	completeDirectories = ":directories"
)

// flagValues returns the values of a flag that takes one of a few.
func flagValues(name string) (values []string) {
	switch name {
	case "by":
		return logreport.Keys
	case "method":
		return []string{"plain", "cram-md5", "apop", "external", "none"}
	case "protocol":
		return []string{"imap", "pop3", "smtp"}
	case "s":
		for _, s := range password.Schemes() {
			if s.Make {
				values = append(values, s.Name)
			}
		}
	}
	return values
}

// completion prints what one word may become.
type completion struct {
	stdout io.Writer
	word   string
}

// complete prints what the last of the words after "mailauthd" may become, one candidate a line, with a tab and a
// description. It prints no errors, because the shell would print them into the command line.
func complete(words []string, stdout io.Writer) {
	if len(words) == 0 {
		words = []string{""}
	}
	before := words[:len(words)-1]
	m := &completion{stdout, words[len(words)-1]}
	table := append(commands(), command{name: "help", summary: "list the commands"})
	for len(before) > 0 {
		i := slices.IndexFunc(table, func(cmd command) bool { return cmd.name == before[0] })
		if i < 0 {
			return
		}
		cmd := table[i]
		before = before[1:]
		if cmd.below == nil {
			m.addArguments(cmd, before)
			return
		}
		table = cmd.below
	}
	for _, cmd := range table {
		m.add(cmd.name, cmd.summary)
	}
}

// add prints a candidate if the word may become it.
func (m *completion) add(candidate, description string) {
	if strings.HasPrefix(candidate, m.word) {
		fmt.Fprintf(m.stdout, "%s\t%s\n", authlog.Escape(candidate), description)
	}
}

// addArguments completes a flag, its value, or an argument of a command.
func (m *completion) addArguments(cmd command, before []string) {
	if cmd.run == nil { // "help"
		return
	}
	c := &call{command: cmd, args: []string{"-help"}, stdout: io.Discard, stderr: io.Discard}
	_ = cmd.run(c) // which defines the flags, and says that help was wanted
	configFile, nth, open := position(c.flags, before)
	kind := argument(c.command.args, nth)
	switch {
	case open != nil:
		m.addValues(open)
	case nth == 0 && (strings.HasPrefix(m.word, "-") || kind == ""):
		c.flags.VisitAll(func(f *flag.Flag) {
			_, usage := flag.UnquoteUsage(f)
			m.add("-"+f.Name, usage)
		})
	case kind == "FILE":
		fmt.Fprintln(m.stdout, completeFiles)
	case slices.Contains([]string{"USER", "USER|ADDRESS", "MASK"}, kind):
		m.addUsers(configFile)
	}
}

// position returns where a word is: how many arguments are before it, or the flag whose value it is. It also returns
// the configuration that the words before it name.
func position(flags *flag.FlagSet, before []string) (configFile string, nth int, open *flag.Flag) {
	configFile = defaultConfig
	for i, word := range before {
		name, value, inline := strings.Cut(strings.TrimLeft(word, "-"), "=")
		f := flags.Lookup(name)
		switch {
		case open != nil:
			value, inline, f, open = word, true, open, nil
		case f == nil || !strings.HasPrefix(word, "-"): // flags come first
			return configFile, len(before) - i, nil
		case !inline && !isBool(f):
			open = f
		}
		if inline && f.Name == "config" {
			configFile = value
		}
	}
	return configFile, 0, open
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// argument returns the name of a command's nth argument, such as "FILE" for "[FILE...]".
func argument(args string, nth int) string {
	names := strings.Fields(args)
	if n := len(names); n > 0 && nth >= n && strings.Contains(names[n-1], "...") {
		nth = n - 1
	}
	if nth >= len(names) {
		return ""
	}
	return strings.Trim(names[nth], "[].")
}

// addValues completes the value of a flag.
func (m *completion) addValues(f *flag.Flag) {
	for _, value := range flagValues(f.Name) {
		m.add(value, "")
	}
	switch kind, _ := flag.UnquoteUsage(f); kind {
	case "file":
		fmt.Fprintln(m.stdout, completeFiles)
	case "directory":
		fmt.Fprintln(m.stdout, completeDirectories)
	}
}

// addUsers completes the name of a user in the map.
func (m *completion) addUsers(configFile string) {
	source, err := config.Open(configFile)
	if err != nil {
		return
	}
	left := maxCompletedUsers
	for _, name := range source.Names() {
		if left > 0 && strings.HasPrefix(name, m.word) {
			m.add(name, "")
			left--
		}
	}
}
