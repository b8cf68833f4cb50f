package phpscript

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailauthd/internal/authlog"
)

// Script is what PHP reads besides the text of the script.
type Script struct {
	Name string // of the file, for comments
	Zone string // php.ini's date.timezone, or ""
	From string // where Zone is from, such as "php.ini:12"
	// HasUser and HasGroup report whether an account exists on this machine.
	HasUser, HasGroup func(name string) bool
}

// Finding is something that the configuration does not say, or says differently.
type Finding struct {
	Line    int
	Warning bool // else the configuration lacks something
	Text    string
}

// Result is the configuration that takes a script's place.
type Result struct {
	Main     string // without the servers and domains
	Servers  string
	Findings []Finding // by line
}

// Complete reports whether the configuration has all that the script decides.
func (r *Result) Complete() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.Warning })
}

// Convert makes a configuration of the text of a script. An error is about one that has no map; it says where, as
// "NAME:LINE: …". Nothing is run but this package's own reading of the script.
func Convert(text string, s Script) (*Result, error) {
	if len(text) > MaxScript {
		return nil, fmt.Errorf("%s: larger than %d bytes: want the PHP script that answers nginx", s.Name, MaxScript)
	}
	if !strings.Contains(text, "<?") {
		return nil, fmt.Errorf("%s: no PHP: want a script with <?php in it", s.Name)
	}
	tokens, err := tokenize(text)
	if err != nil {
		var at *lineError
		errors.As(err, &at)
		return nil, fmt.Errorf("%s:%d: %w", s.Name, at.line, err)
	}
	x := newExplorer(parseScript(tokens))
	return x.migrate(s)
}

func (x *explorer) migrate(s Script) (*Result, error) {
	m := &survey{explorer: x, Script: s}
	m.look()
	if len(m.servers) == 0 && len(m.never) == 0 && !m.anywhere {
		return nil, m.noMap()
	}
	r := &Result{}
	r.Main, r.Servers = m.render()
	for f := range x.findings {
		r.Findings = append(r.Findings, f)
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Text, b.Text)
	})
	return r, nil
}

// noMap says why there is nothing to write.
func (m *survey) noMap() error {
	first := Finding{Line: 1, Text: "no login gets a header Auth-Server: want the script that answers nginx's auth_http"}
	for _, line := range m.script.classes {
		first = Finding{Line: line, Text: "the script has its map in a class, which this command does not read: write the servers and domains by hand"}
	}
	for f := range m.findings {
		if !f.Warning && (first.Line == 1 || f.Line < first.Line) {
			first = f
		}
	}
	return fmt.Errorf("%s:%d: no map found: %s", m.Name, first.Line, first.Text)
}

// quoted makes a text of the script printable.
func quoted(s string) string { return `"` + authlog.Escape(s) + `"` }
