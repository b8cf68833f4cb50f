package migrate

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/mailaddr"
)

// LogReport says how the logins of old logs go by a configuration.
type LogReport struct {
	From        string `json:"from"` // the time of the first login, as in the log
	To          string `json:"to"`
	LetIn       Count  `json:"let_in"`
	Failed      int    `json:"failed"` // logins that were refused, which are not compared
	Same        Count  `json:"same"`
	NotCompared Count  `json:"not_compared"` // of Same, those whose server has a host name in the configuration
	Groups
	Ambiguous int   `json:"ambiguous"`  // of LetIn, those that overlap with others in the log, and are the only ones of their kind
	NotStored int   `json:"not_stored"` // of LetIn, those that were not compared, because there are too many
	Lines     Lines `json:"lines"`
}

// Differs reports whether a login would go another way, or could not be compared.
func (r *LogReport) Differs() bool { return len(r.Groups.Groups) > 0 || r.NotStored > 0 }

// Report decides each of the logins once.
func (l *Log) Report(c *config.Config) *LogReport {
	r := &LogReport{Failed: l.failed, NotStored: l.notStored, Lines: l.lines}
	r.Lines.Orphans = l.group.orphans
	if l.first > 0 {
		r.From, r.To = l.time(l.first), l.time(l.last)
	}
	router := newRouter(c)
	sameUsers, otherUsers := make(map[string]bool), make(map[string]bool)
	notCompared := make(map[string]bool)
	for _, key := range slices.Sorted(maps.Keys(l.logins)) {
		n := *l.logins[key]
		flags, login, reply := parseKey(key)
		user := displayName(login.user)
		r.LetIn.Logins += n
		doubt := flags&flagDoubt != 0 && l.logins[string(key[0]-flagDoubt)+key[1:]] == nil
		if doubt {
			r.Ambiguous += n
		}
		f, isName := notOK(reply), false
		if flags&flagNotOK == 0 || f.kind == Unproven {
			if routed, name := router.find(&login); routed != same || f.kind != Unproven {
				f, isName = routed, name
			}
		}
		if f != same {
			otherUsers[user] = true
			r.Groups.add(f, user, n, doubt)
			continue
		}
		sameUsers[user] = true
		r.Same.Logins += n
		if isName {
			notCompared[user] = true
			r.NotCompared.Logins += n
		}
	}
	r.Same.Users, r.NotCompared.Users = len(sameUsers), len(notCompared)
	maps.Copy(sameUsers, otherUsers)
	r.LetIn.Users = len(sameUsers)
	r.LetIn.Logins += r.NotStored
	r.Groups.finish()
	return r
}

func (l *Log) time(micros int64) string {
	return time.UnixMicro(micros).In(l.clock.Zone).Format("2006-01-02 15:04:05")
}

// parseKey is the reverse of appendKey, and decodes the name: auth.php logged what nginx sent, mailauthd what that means.
func parseKey(key string) (flags byte, l login, reply string) {
	flags = key[0] - '0'
	v := strings.Split(key[1:], string(keySeparator))
	l = login{user: v[0], method: v[1], protocol: v[2], server: v[3], port: v[4]}
	if flags&flagOurs != 0 {
		l.user = authlog.Unescape(l.user)
	} else {
		l.user = authhttp.Unescape(l.user)
	}
	return flags, l, v[5]
}

// displayName returns a name in canonical form if it has one, so that a user is counted once.
func displayName(name string) string {
	if canonical, err := mailaddr.User(name); err == nil {
		return canonical
	}
	return name
}

// notOK is the finding on a login that was let in after a reply that does not accept it.
func notOK(reply string) finding {
	if reply == challengeReply {
		return finding{Unproven, "", "the script reads too few lines, so the log does not tell whether these passwords were right: try a user by \"mailauthd test-login\""}
	}
	what := "nothing"
	if reply != "" {
		what = `"` + reply + `"`
	}
	return finding{kind: NotOK, what: what, set: "if these were no guesses, let these users correct their passwords"}
}

// Text prints the report for people.
func (r *LogReport) Text(w io.Writer) {
	fmt.Fprintf(w, "let in: %v", r.LetIn)
	if r.From != "" {
		fmt.Fprintf(w, ", from %s to %s", r.From, r.To)
	}
	fmt.Fprintf(w, "\nsame way: %v\n", r.Same)
	if r.NotCompared.Logins > 0 {
		fmt.Fprintf(w, "    %v to a server that the configuration has by its host name, which was not compared\n", r.NotCompared)
	}
	if r.Failed > 0 {
		fmt.Fprintf(w, "refused at the time, not compared: %s\n", plural(r.Failed, "login"))
	}
	r.Groups.write(w)
	if r.Ambiguous+r.NotStored+r.Lines.sum() > 0 {
		fmt.Fprintln(w)
	}
	if r.Ambiguous > 0 {
		fmt.Fprintf(w, "ambiguous: %s overlap with others in the log, and a line may belong to any of them; each is counted as let in\n", plural(r.Ambiguous, "login"))
	}
	if r.NotStored > 0 {
		fmt.Fprintf(w, "not compared: %s, because there are more than %d different ones; compare parts of the log\n", plural(r.NotStored, "login"), MaxLogins)
	}
	r.Lines.write(w)
}

func (l *Lines) sum() int { return l.Torn + l.Foreign + l.Long + l.Orphans }

func (l *Lines) write(w io.Writer) {
	for _, n := range []struct {
		lines int
		what  string
	}{
		{l.Torn, "torn"}, {l.Foreign, "of another layout"},
		{l.Long, fmt.Sprintf("longer than %d bytes", MaxLine)},
		{l.Orphans, "of a request whose other lines are missing"},
	} {
		if n.lines > 0 {
			fmt.Fprintf(w, "not read: %s %s\n", plural(n.lines, "line"), n.what)
		}
	}
}
