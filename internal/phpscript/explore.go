package phpscript

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of the search for all that a script does.
const (
	maxScriptSteps = 100_000_000 // nodes, in all runs
	maxDomains     = 5000
	maxLeaves      = 400 // runs with the same user name and protocol
	maxDialogues   = 1000
)

// unlisted is a domain that no script knows.
const unlisted = "zq4k7w.invalid"

var protocols = [...]string{"pop3", "imap", "smtp"}

// explorer runs a script with all user names that it can tell apart.
type explorer struct {
	script   *script
	builtins map[string]builtin
	maxSteps int
	steps    int

	literals  map[*node]*phpArray
	patterns  map[string]compiled
	pureNodes map[*node]bool

	order        []string // domains, as they were found
	found        map[string]*found
	methodCounts bool // the script looks at the method
	leaves       int  // of the tree that is being made

	zone      value
	log       value
	dialogues []dialogue
	anywhere  map[string]int            // lines that look for a text before the "@" too
	mechanism map[string]map[string]int // lines, by protocol and mechanism
	elsewhere map[string]value          // hosts that are reached in a way that is not understood
	findings  map[Finding]bool
}

// found is a domain that the script compares something with.
type found struct {
	mentions  map[mention]bool
	evaluated map[int]bool // lines that a login of this domain reaches
}

// mention is how the script compares it.
type mention struct {
	line  int
	exact bool
	never bool // the lengths differ
	cut   int
	size  int
}

// dialogue is a connection to a mail server.
type dialogue struct {
	line     int
	protocol string
	host     string
	port     int
	tls      bool
}

func newExplorer(s *script) *explorer {
	return &explorer{
		script: s, builtins: makeBuiltins(), maxSteps: maxScriptSteps,
		literals: make(map[*node]*phpArray), patterns: make(map[string]compiled), pureNodes: make(map[*node]bool), found: make(map[string]*found),
		anywhere: make(map[string]int), mechanism: make(map[string]map[string]int), elsewhere: make(map[string]value), findings: make(map[Finding]bool),
	}
}

// compared notes a domain that the script compares something with.
func (x *explorer) compared(r *run, domain string, m mention) {
	f := x.found[domain]
	if f == nil {
		if len(x.order) >= maxDomains {
			x.tell(m.line, fmt.Sprintf("the script has more than %d domains, which is more than this command reads: add the others by hand", maxDomains))
			return
		}
		f = &found{mentions: make(map[mention]bool), evaluated: make(map[int]bool)}
		x.found[domain] = f
		x.order = append(x.order, domain)
	}
	f.mentions[m] = true
	if r.domain == domain || domain[0] == '.' && strings.HasSuffix(r.domain, domain) {
		f.evaluated[m.line] = true
	}
}

// looksAt notes that the script looks at a value.
func (x *explorer) looksAt(v value) {
	if v.method {
		x.methodCounts = true
	}
}

func (x *explorer) tell(line int, text string) { x.findings[Finding{Line: line, Text: text}] = true }

func (x *explorer) warn(line int, text string) {
	x.findings[Finding{Line: line, Text: text, Warning: true}] = true
}

// replaced warns about a key that an array has twice.
func (x *explorer) replaced(key string, first, again int) {
	if first != again || again > 0 {
		x.warn(again, fmt.Sprintf("%s is also in line %d: PHP takes the later of the two", quoted(key), first))
	}
}

// reachable notes the servers among the elements of an array of which any may be meant.
func (x *explorer) reachable(a *phpArray) {
	for _, k := range a.keys {
		if it := a.items[k]; it.kind == isText && isAddress(it.text) {
			x.elsewhere[it.text] = it.value
		}
	}
}

func (x *explorer) logged(file value, line int) {
	if x.log.kind == isNull && file.kind == isText && file.text != "" && !strings.HasPrefix(file.text, "php:") {
		file.line = lineOr(file.line, line)
		x.log = file
	}
}

func (x *explorer) connects(d dialogue) {
	if len(x.dialogues) < maxDialogues && !slices.Contains(x.dialogues, d) {
		x.dialogues = append(x.dialogues, d)
	}
}

// sends notes the mechanism that a command to a mail server uses.
func (x *explorer) sends(protocol, command string, line int) {
	words := strings.Fields(strings.ToUpper(command))
	if protocol == "imap" && len(words) > 0 {
		words = words[1:] // the tag
	}
	if len(words) == 0 {
		return
	}
	name := ""
	switch {
	case (words[0] == "AUTH" || words[0] == "AUTHENTICATE") && len(words) > 1:
		name = words[1]
	case words[0] == "LOGIN" && protocol == "imap":
		name = "IMAP-LOGIN"
	case (words[0] == "USER" || words[0] == "APOP") && protocol == "pop3":
		name = words[0]
	default:
		return
	}
	if x.mechanism[protocol] == nil {
		x.mechanism[protocol] = make(map[string]int)
	}
	x.mechanism[protocol][name] = line
}

// tree is what the script does at each of the conditions that depend on something unknown.
type tree struct {
	why     *reason // nil for a leaf
	yes, no *tree
	leaf    outcome
}

// outcome is how a run ends.
type outcome struct {
	ok         bool
	host, port value
	failure    value
	taint      *reason
}

func (o *outcome) key() string {
	taint := reason{}
	if o.taint != nil {
		taint = *o.taint
	}
	if !o.ok {
		return fmt.Sprint("no ", taint)
	}
	return fmt.Sprint(o.host.kind, o.host.text, o.port.kind, o.port.asText().text, taint)
}

func (t *tree) same(u *tree) bool {
	if (t.why == nil) != (u.why == nil) {
		return false
	}
	if t.why == nil {
		return t.leaf.key() == u.leaf.key()
	}
	return *t.why == *u.why && t.yes.same(u.yes) && t.no.same(u.no)
}

// probe is a login that the script is run with.
type probe struct {
	domain   string // "": a user name without one
	protocol string
	method   string
	force    string
}

// explore runs the script until it has gone both ways at each unknown condition.
func (x *explorer) explore(p probe) *tree {
	x.leaves = 0
	return x.branch(p, nil)
}

func (x *explorer) branch(p probe, choices []bool) *tree {
	r := &run{x: x, domain: p.domain, protocol: p.protocol, method: p.method, force: p.force, choices: choices}
	r.user = value{kind: isText, text: "@" + p.domain, user: true, open: true}
	if p.domain == "" {
		r.user = value{kind: isText, text: "postmaster"}
	}
	r.start()
	t := &tree{leaf: r.outcome()}
	if x.leaves++; x.leaves > maxLeaves {
		t.leaf.taint = &reason{kind: byOther, line: r.line, what: "more conditions than this command follows"}
		return t
	}
	for i := len(r.taken) - 1; i >= len(choices); i-- {
		other := make([]bool, i+1)
		copy(other, choices)
		for j := len(choices); j < i; j++ {
			other[j] = true
		}
		no := x.branch(p, other)
		if !t.same(no) {
			t = &tree{why: r.taken[i], yes: t, no: no}
		}
	}
	return t
}

// outcome reads the headers of the answer.
func (r *run) outcome() outcome {
	status := r.headers["auth-status"]
	o := outcome{host: r.headers["auth-server"], port: r.headers["auth-port"], taint: r.taint}
	switch {
	case status.kind == isUnknown:
		o.taint = worst(o.taint, status.why)
	case status.kind != isNull && status.text != "OK": // nginx wants no Auth-Status if there is a server
		return outcome{failure: status, taint: r.taint}
	}
	if o.host.kind == isNull || o.host.kind == isText && o.host.text == "" {
		return outcome{taint: r.taint} // nginx does not take that
	}
	if port := o.port; port.kind == isNull || port.kind == isText && (port.text == "" || port.text == "0") {
		return outcome{taint: r.taint}
	}
	o.ok = true
	if login := r.headers["auth-user"]; login.kind != isNull && !(login.user && login.open || login.kind == isUnknown && login.why.same && login.text == "") {
		o.taint = worst(o.taint, &reason{kind: byOther, line: login.line, what: "Auth-User, which changes the login name: set login for the users"})
	}
	if o.host.kind == isUnknown {
		o.taint = worst(o.taint, o.host.why)
	} else if o.port.kind == isUnknown {
		o.taint = worst(o.taint, o.port.why)
	}
	return o
}

// verdict is what becomes of the logins of a domain by one protocol.
type verdict struct {
	ok         bool
	host, port value
	path       []fork                 // to the first success
	doubts     []*reason              // why the verdict is no answer
	by         map[reasonKind]*reason // what decides about the login
	failures   map[string]*failureText
	hosts      map[string]value
}

// failureText is how often logins are refused with a text, most of all because of their passwords.
type failureText struct {
	value
	count int
}

// conclude reduces a tree to one answer.
func conclude(t *tree) *verdict {
	v := &verdict{by: make(map[reasonKind]*reason), hosts: make(map[string]value), failures: make(map[string]*failureText)}
	v.add(t, nil)
	return v
}

// fork is one way that a run went at an unknown condition.
type fork struct {
	*reason
	yes bool
}

func (v *verdict) add(t *tree, path []fork) {
	switch {
	case t.why != nil:
		v.add(t.yes, append(slices.Clip(path), fork{t.why, true}))
		v.add(t.no, append(slices.Clip(path), fork{t.why, false}))
	case t.leaf.ok:
		v.letIn(&t.leaf, path)
	default:
		v.refuse(&t.leaf, path)
	}
}

func (v *verdict) refuse(o *outcome, path []fork) {
	v.doubt(o.taint)
	if o.failure.kind != isText || o.failure.text == "" {
		return
	}
	f := v.failures[o.failure.text]
	if f == nil {
		f = &failureText{value: o.failure}
		v.failures[o.failure.text] = f
	}
	f.count++
	for _, why := range path {
		if why.kind != byPeer && why.kind < byTime {
			f.count += maxLeaves
			break
		}
	}
}

func (v *verdict) letIn(o *outcome, path []fork) {
	for _, why := range path {
		if v.by[why.kind] == nil {
			v.by[why.kind] = why.reason
		}
		if why.kind >= byTime {
			v.doubt(why.reason)
		}
	}
	if o.host.kind == isText {
		v.hosts[o.host.text] = o.host
	}
	v.doubt(o.taint)
	if v.ok && (v.host.text != o.host.text || v.port.asText().text != o.port.asText().text) {
		at := 0
		for path[at].yes == v.path[at].yes {
			at++
		}
		v.doubt(path[at].reason) // from here on the first path went another way
	}
	if !v.ok {
		v.ok, v.host, v.port, v.path = true, o.host, o.port, path
	}
}

func (v *verdict) doubt(why *reason) {
	if why != nil && !slices.ContainsFunc(v.doubts, func(d *reason) bool { return *d == *why }) {
		v.doubts = append(v.doubts, why)
	}
}

// sorted returns how a domain is compared, in the order of lines.
func (f *found) sorted() []mention {
	return slices.SortedFunc(maps.Keys(f.mentions), func(a, b mention) int { return a.line - b.line })
}
