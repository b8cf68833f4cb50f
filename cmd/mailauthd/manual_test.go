package main

import (
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root       = "../.."
	manualPage = root + "/contrib/man/mailauthd.8"
)

// usages are the usage lines of all commands without their flags, and the flags, by the commands' names.
func usages(t *testing.T) (args map[string]string, flags map[string]map[string]*flag.Flag) {
	t.Helper()
	args = map[string]string{"help": ""}
	flags = map[string]map[string]*flag.Flag{"help": {}}
	add := func(cmd command) {
		c := &call{command: cmd, args: []string{"-help"}, stdout: io.Discard, stderr: io.Discard}
		if status := c.exitStatus(cmd.run(c)); status != exitDone {
			t.Errorf("%s -help: status %d", cmd.name, status)
		}
		args[c.name] = c.command.args
		flags[c.name] = make(map[string]*flag.Flag)
		c.flags.VisitAll(func(f *flag.Flag) { flags[c.name][f.Name] = f })
	}
	for _, cmd := range commands() {
		if cmd.below == nil {
			add(cmd)
		}
		for _, sub := range cmd.below {
			sub.name = cmd.name + " " + sub.name
			add(sub)
		}
	}
	return args, flags
}

// manual is what the manual page has on commands.
type manual struct {
	synopsis map[string][]string          // flags, by command
	args     map[string]string            // in the list of commands
	own      map[string]map[string]string // flags and their defaults, by command; "" is those of several commands
}

var (
	synopsisFlag = regexp.MustCompile(`^\.Op Fl (\S+)(?: Ar \S+)?$`)
	commandItem  = regexp.MustCompile(`^\.It Cm ([a-z -]+?)(?: (Op )?Ar (\S+))?(?: Op Ar (\S+))?$`)
	flagItem     = regexp.MustCompile(`^\.It Fl (\S+)(?: Ar \S+)?(?: Pq default (?:Pa )?(\S+))?$`)
)

func readManual(t *testing.T) *manual {
	t.Helper()
	data, err := os.ReadFile(manualPage)
	if err != nil {
		t.Fatal(err)
	}
	m := &manual{make(map[string][]string), make(map[string]string), map[string]map[string]string{"": {}}}
	before, after, _ := strings.Cut(string(data), "\n.Sh DESCRIPTION\n")
	_, synopsis, _ := strings.Cut(before, "\n.Sh SYNOPSIS\n")
	for usage := range strings.SplitSeq(synopsis, ".Nm\n") {
		name, rest, _ := strings.Cut(strings.TrimPrefix(usage, ".Cm "), "\n")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		m.synopsis[name] = nil
		for line := range strings.Lines(rest) {
			if f := synopsisFlag.FindStringSubmatch(strings.TrimSpace(line)); f != nil {
				m.synopsis[name] = append(m.synopsis[name], f[1])
			}
		}
	}
	description, _, _ := strings.Cut(after, "\n.Sh ")
	name := ""
	for line := range strings.Lines(description) {
		if c := commandItem.FindStringSubmatch(strings.TrimSpace(line)); c != nil {
			name = c[1]
			m.own[name] = make(map[string]string)
			if m.args[name] = c[3]; c[2] != "" {
				m.args[name] = "[" + c[3] + "]"
			}
			if c[4] != "" {
				m.args[name] += " [" + c[4] + "]"
			}
		}
		if f := flagItem.FindStringSubmatch(strings.TrimSpace(line)); f != nil {
			m.own[name][f[1]] = f[2]
		} else if strings.HasPrefix(line, ".It Fl ") {
			t.Errorf("%s: want .It Fl NAME Ar ARGUMENT Pq default VALUE: %s", manualPage, line)
		}
	}
	return m
}

// preset is a flag's default if the manual page has to say it.
func preset(f *flag.Flag) string {
	if f.DefValue == "0" || f.DefValue == "false" {
		return ""
	}
	return f.DefValue
}

// The manual page has every command and every flag with its default, and no others.
func TestManualHasEveryCommand(t *testing.T) {
	m := readManual(t)
	args, flags := usages(t)
	if !maps.Equal(m.args, args) {
		t.Errorf("%s has the commands %q, want %q", manualPage, m.args, args)
	}
	if got, want := slices.Sorted(maps.Keys(m.synopsis)), slices.Sorted(maps.Keys(args)); !slices.Equal(got, want) {
		t.Errorf("synopsis has the commands %q, want %q", got, want)
	}
	used := make(map[string]bool)
	for name, of := range flags {
		if got, want := slices.Sorted(slices.Values(m.synopsis[name])), slices.Sorted(maps.Keys(of)); !slices.Equal(got, want) {
			t.Errorf("synopsis of %s has the flags %q, want %q", name, got, want)
		}
		m.checkFlags(t, name, of, used)
	}
	for f := range m.own[""] {
		if !used[f] {
			t.Errorf("%s: no command has the common flag -%s", manualPage, f)
		}
	}
}

// checkFlags compares the flags of a command, and notes which of them are those of several commands.
func (m *manual) checkFlags(t *testing.T, name string, of map[string]*flag.Flag, used map[string]bool) {
	t.Helper()
	for f := range m.own[name] {
		if of[f] == nil {
			t.Errorf("%s: %s has no flag -%s", manualPage, name, f)
		}
	}
	for _, f := range of {
		got, ok := m.own[name][f.Name]
		if !ok {
			got, ok = m.own[""][f.Name]
			used[f.Name] = true
		}
		if !ok {
			t.Errorf("%s: %s is without its flag -%s", manualPage, name, f.Name)
		} else if want := preset(f); got != want {
			t.Errorf("%s: -%s of %s has the default %q, want %q", manualPage, f.Name, name, got, want)
		}
	}
}

// commandNames expands "user add\|del USER" to "user add" and "user del".
func commandNames(usage string) []string {
	names := []string{""}
	for word := range strings.FieldsSeq(usage) {
		if strings.Trim(word, `abcdefghijklmnopqrstuvwxyz-\|`) != "" {
			break
		}
		var longer []string
		for _, name := range names {
			for alternative := range strings.SplitSeq(word, `\|`) {
				longer = append(longer, strings.TrimSpace(name+" "+alternative))
			}
		}
		names = longer
	}
	return names
}

var (
	commandRow = regexp.MustCompile("(?m)^\\| (`mailauthd .*?[^\\\\])\\|")
	codeSpan   = regexp.MustCompile("`([^`]*)`")
)

// README.md's table has every command, and no others.
func TestReadmeHasEveryCommand(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range commandRow.FindAllStringSubmatch(string(data), -1) {
		for _, span := range codeSpan.FindAllStringSubmatch(row[1], -1) {
			got = append(got, commandNames(strings.TrimPrefix(span[1], "mailauthd "))...)
		}
	}
	args, _ := usages(t)
	delete(args, "help")
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(args)); !slices.Equal(got, want) {
		t.Errorf("README.md's table has the commands %q, want %q", got, want)
	}
}

var mention = regexp.MustCompile("(sudo |`|\")?\\bmailauthd ([a-z][^`\"#|)\n]*)")

// Whatever else tells how to call mailauthd names commands and flags that exist.
func TestCallsInDocumentsExist(t *testing.T) {
	_, flags := usages(t)
	calls := 0
	check := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == manualPage {
			return err
		}
		data, err := os.ReadFile(path)
		calls += checkCalls(t, path, string(data), flags)
		return err
	}
	for _, part := range []string{"README.md", "conf", "contrib"} {
		if err := filepath.WalkDir(filepath.Join(root, part), check); err != nil {
			t.Fatal(err)
		}
	}
	if calls < 20 {
		t.Errorf("%d calls in documents", calls)
	}
}

func checkCalls(t *testing.T, path, text string, flags map[string]map[string]*flag.Flag) (calls int) {
	t.Helper()
	beginning := make(map[string]bool) // a line may end there
	for name := range flags {
		beginning[strings.Fields(name)[0]] = true
	}
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		words := strings.Fields(strings.TrimRight(m[2], `.\ `))
		name := words[0]
		if flags[name] == nil && len(words) > 1 {
			name += " " + words[1]
		}
		if flags[name] == nil {
			if m[1] != "" && !beginning[name] {
				t.Errorf("%s: no command: mailauthd %s", path, m[2])
			}
			continue
		}
		calls++
		for _, word := range words {
			if f := strings.TrimRight(word, ",;:"); len(f) > 1 && f[0] == '-' && flags[name][f[1:]] == nil {
				t.Errorf("%s: no flag %s: mailauthd %s", path, f, m[2])
			}
		}
	}
	return calls
}
