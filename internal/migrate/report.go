package migrate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mailauthd/internal/authlog"
)

// Limits of a report.
const (
	MaxExamples = 10      // the largest number of users that are named in a group
	MaxGroups   = 200     // the largest number of groups; what further ones would have is counted by kind
	maxMembers  = 200_000 // the largest number of users in all groups; any more are not counted as users
)

// Kind is what a group of logins has in common.
type Kind string

// The kinds, in the order of a report.
const (
	LookAlike     Kind = "look_alike"
	Subdomain     Kind = "subdomain"
	OtherServer   Kind = "other_server"
	UnknownDomain Kind = "unknown_domain"
	MethodOff     Kind = "method_off"
	CannotUse     Kind = "method_unusable"
	NoDomain      Kind = "no_domain"
	Refused       Kind = "name_refused"
	NoEntry       Kind = "no_entry"
	Rules         Kind = "rules"
	NotOK         Kind = "not_ok"
	Unproven      Kind = "unproven"
	Quoting       Kind = "quoting"
	Throttled     Kind = "throttled"
	TempFail      Kind = "tempfail"
	NoAnswer      Kind = "no_answer"
	Other         Kind = "other"
)

// title is a kind in words, which what the group has in common may follow.
type title struct {
	kind Kind
	text string
}

// titles returns all kinds in the order of a report.
func titles() []title {
	return []title{
		{LookAlike, "look-alike domain, refused now:"},
		{Subdomain, "subdomain, refused now:"},
		{OtherServer, "other server"},
		{UnknownDomain, "unknown domain, refused now:"},
		{MethodOff, "method that is off, refused now:"},
		{CannotUse, "method that the user cannot use, refused now:"},
		{NoDomain, "name without a domain, refused now"},
		{Refused, "name or method that is refused now:"},
		{NoEntry, "user without an entry with a password, refused now: domain"},
		{Rules, "refused now by a rule:"},
		{NotOK, "let in without the server's OK, refused now: the server said"},
		{Unproven, "let in on the server's challenge, without its answer"},
		{Quoting, "name or password that auth.php quotes wrongly, let in now"},
		{Throttled, "refused now by [throttle]:"},
		{TempFail, "temporary failure now:"},
		{NoAnswer, "no answer of auth.php:"},
		{Other, "other difference:"},
	}
}

// Count counts logins and their users.
type Count struct {
	Logins int `json:"logins"`
	Users  int `json:"users"`
}

func (c Count) String() string {
	return fmt.Sprintf("%s of %s", plural(c.Logins, "login"), plural(c.Users, "user"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Group is a number of logins with the same difference. All its texts are printable.
type Group struct {
	Kind Kind   `json:"kind"`
	What string `json:"what"` // what the logins have in common
	Set  string `json:"set"`  // the key to set, or what else to do; empty if nothing can be done
	Count
	Ambiguous int      `json:"ambiguous"` // of the logins, those that overlap with others in the log
	Examples  []string `json:"examples"`  // the users with the most logins

	users map[string]int // logins by user
}

// Groups are all differences.
type Groups struct {
	Groups []*Group `json:"differences"`

	byFinding map[finding]*Group
	members   int
}

// add adds n logins of a user.
func (g *Groups) add(f finding, user string, n int, ambiguous bool) {
	if g.byFinding == nil {
		g.byFinding = make(map[finding]*Group)
	}
	if g.byFinding[f] == nil && len(g.byFinding) >= MaxGroups {
		f = finding{kind: f.kind, what: "others"}
	}
	group := g.byFinding[f]
	if group == nil {
		group = &Group{Kind: f.kind, What: authlog.Escape(f.what), Set: authlog.Escape(f.set), users: make(map[string]int)}
		g.byFinding[f] = group
	}
	group.Logins += n
	if ambiguous {
		group.Ambiguous += n
	}
	if _, ok := group.users[user]; !ok {
		if g.members >= maxMembers {
			return
		}
		g.members++
	}
	group.users[user] += n
}

// finish sorts the groups and names examples.
func (g *Groups) finish() {
	g.Groups = slices.AppendSeq(make([]*Group, 0, len(g.byFinding)), maps.Values(g.byFinding)) // in JSON never null
	order := make(map[Kind]int)
	for i, t := range titles() {
		order[t.kind] = i
	}
	slices.SortFunc(g.Groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(order[a.Kind], order[b.Kind]), cmp.Compare(b.Logins, a.Logins), cmp.Compare(a.What, b.What))
	})
	for _, group := range g.Groups {
		group.Users = len(group.users)
		names := slices.SortedFunc(maps.Keys(group.users), func(a, b string) int {
			return cmp.Or(cmp.Compare(group.users[b], group.users[a]), cmp.Compare(a, b))
		})
		for _, name := range names[:min(len(names), MaxExamples)] {
			group.Examples = append(group.Examples, authlog.Escape(name))
		}
	}
}

// write prints the groups, each with the key to set and example users.
func (g *Groups) write(w io.Writer) {
	text := make(map[Kind]string)
	for _, t := range titles() {
		text[t.kind] = t.text
	}
	for _, group := range g.Groups {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(text[group.Kind]+" "+group.What))
		ambiguous := ""
		if group.Ambiguous > 0 {
			ambiguous = fmt.Sprintf(" (%d ambiguous)", group.Ambiguous)
		}
		fmt.Fprintf(w, "    %v%s: %s", group.Count, ambiguous, strings.Join(group.Examples, ", "))
		if group.Users > len(group.Examples) {
			fmt.Fprintf(w, ", …")
		}
		fmt.Fprintln(w)
		if group.Set != "" {
			fmt.Fprintf(w, "    what to do: %s\n", group.Set)
		}
	}
}
