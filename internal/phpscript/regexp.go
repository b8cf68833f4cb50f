package phpscript

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Limits of regular expressions in a script.
const (
	maxPattern  = 4096 // bytes
	maxVariants = 512  // texts that a pattern may stand for
)

// pattern is a regular expression that matches user names by how they end.
type pattern struct {
	ends     []string // one of these; empty: any user name
	anchored bool     // at the end of the name
	fold     bool
	at       bool // any user name with an "@"
	whole    bool // nothing may stand before what ends has
}

// parsePattern reads a regular expression with its delimiters. It reports whether it understood it.
func parsePattern(s string) (*regexp.Regexp, *pattern, bool) {
	if len(s) < 2 || len(s) > maxPattern {
		return nil, nil, false
	}
	closing := s[0]
	if i := strings.IndexByte("([{<", s[0]); i >= 0 {
		closing = ")]}>"[i]
	}
	end := strings.LastIndexByte(s, closing)
	if end < 1 || strings.Trim(s[end+1:], "isuDU") != "" || strings.Contains(s[end+1:], "U") {
		return nil, nil, false
	}
	expr := s[1:end]
	if escaped := `\` + s[:1]; strings.Contains(expr, escaped) {
		if !strings.Contains("/#~!@%", s[:1]) {
			return nil, nil, false
		}
		expr = strings.ReplaceAll(expr, escaped, s[:1])
	}
	flags := ""
	if strings.Contains(s[end+1:], "i") {
		flags = "(?i)"
	}
	tree, err := syntax.Parse(flags+expr, syntax.Perl)
	if err != nil {
		return nil, nil, false
	}
	re, err := regexp.Compile(flags + expr)
	if err != nil {
		return nil, nil, false
	}
	p := &pattern{fold: flags != ""}
	return re, p, p.read(parts(tree))
}

// parts returns the concatenation that a pattern is.
func parts(re *syntax.Regexp) []*syntax.Regexp {
	if re.Op == syntax.OpConcat {
		var list []*syntax.Regexp
		for _, s := range re.Sub {
			list = append(list, parts(s)...)
		}
		return list
	}
	if re.Op == syntax.OpCapture && !fixedEnd(re.Sub[0]) {
		return parts(re.Sub[0])
	}
	return []*syntax.Regexp{re}
}

func fixedEnd(re *syntax.Regexp) bool {
	_, ok := variants(re)
	return ok
}

// read takes as much of the end as stands for plain texts. What is before must match any local part.
func (p *pattern) read(list []*syntax.Regexp) bool {
	for len(list) > 0 && (list[len(list)-1].Op == syntax.OpEndText || list[len(list)-1].Op == syntax.OpEndLine) {
		list, p.anchored = list[:len(list)-1], true
	}
	ends := []string{""}
	for len(list) > 0 {
		texts, ok := variants(list[len(list)-1])
		if !ok || len(texts)*len(ends) > maxVariants {
			break
		}
		var longer []string
		for _, t := range texts {
			for _, e := range ends {
				longer = append(longer, t+e)
			}
		}
		ends, list = longer, list[:len(list)-1]
	}
	if slices.ContainsFunc(ends, noEnd) {
		return false
	}
	if len(ends) > 1 || ends[0] != "" {
		p.ends = ends
	}
	for i, part := range list {
		switch {
		case part.Op == syntax.OpBeginText || part.Op == syntax.OpBeginLine:
			p.whole = i == len(list)-1
		case matchesAny(part):
		case part.Op == syntax.OpLiteral && string(part.Rune) == "@":
			p.at = true
		default:
			return false
		}
	}
	if len(p.ends) == 1 && p.ends[0] == "@" {
		p.ends, p.at = nil, true
	}
	return len(p.ends) > 0 || p.at
}

// noEnd reports whether no domain ends in s. Then a dot in the pattern is one that stands for any character.
func noEnd(s string) bool {
	return strings.Contains(s, "..") || strings.Contains(s, "@.") || strings.HasSuffix(s, ".")
}

// matchesAny reports whether a part matches any local part or domain.
func matchesAny(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpCapture:
		return matchesAny(re.Sub[0])
	case syntax.OpEmptyMatch, syntax.OpWordBoundary:
		return true
	case syntax.OpStar, syntax.OpPlus:
		one, err := regexp.Compile("^(?:" + re.Sub[0].String() + ")$")
		if err != nil {
			return false
		}
		for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789.-" {
			if !one.MatchString(string(c)) {
				return false
			}
		}
		return true
	}
	return false
}

// variants returns the texts that a part of a pattern stands for.
func variants(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		if re.Flags&syntax.FoldCase != 0 {
			s = strings.ToLower(s)
		}
		return []string{s}, true
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"."}, true // what a dot without a backslash is meant for
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpCapture:
		return variants(re.Sub[0])
	case syntax.OpQuest:
		list, ok := variants(re.Sub[0])
		return append([]string{""}, list...), ok
	case syntax.OpCharClass:
		var list []string
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
				if list = append(list, string(c)); len(list) > 16 {
					return nil, false
				}
			}
		}
		return list, true
	case syntax.OpAlternate:
		var list []string
		for _, s := range re.Sub {
			more, ok := variants(s)
			if list = append(list, more...); !ok || len(list) > maxVariants {
				return nil, false
			}
		}
		return list, true
	case syntax.OpConcat:
		list := []string{""}
		for _, s := range re.Sub {
			more, ok := variants(s)
			if !ok || len(list)*len(more) > maxVariants {
				return nil, false
			}
			var longer []string
			for _, a := range list {
				for _, b := range more {
					longer = append(longer, a+b)
				}
			}
			list = longer
		}
		return list, true
	}
	return nil, false
}

// patternSteps is about what a pattern costs more than a step.
const patternSteps = 100

// compiled is what parsePattern returns.
type compiled struct {
	re *regexp.Regexp
	p  *pattern
	ok bool
}

// pattern reads a regular expression once for all runs, because a script may have one for each domain.
func (r *run) pattern(s string) (*regexp.Regexp, *pattern, bool) {
	c, known := r.x.patterns[s]
	if !known {
		r.work(patternSteps)
		c.re, c.p, c.ok = parsePattern(s)
		if len(r.x.patterns) < maxDomains {
			r.x.patterns[s] = c
		}
	}
	return c.re, c.p, c.ok
}

// localPart stands for the local part of a name when a pattern takes the name apart.
const localPart = "localpart7"

// phpPregMatch knows patterns that look only at how a user name ends, and such that take it apart at the "@".
func phpPregMatch(r *run, n *node, args []value) value {
	v, expr := arg(args, 1).asText(), arg(args, 0)
	target := (*node)(nil)
	if len(n.kids) > 2 {
		target = n.kids[2].kids[1]
	}
	part := r.partOf(n, "a regular expression that this command does not understand")
	result := func(v value, groups value) value {
		if target != nil {
			r.assign(target, groups)
		}
		return v
	}
	if u, bad := unclear(v, expr); bad {
		return result(u, u)
	}
	re, p, ok := r.pattern(expr.text)
	switch {
	case expr.kind != isText || expr.user || re == nil:
		return result(part, part)
	case !v.user:
		return r.matchPlain(re, v, result)
	case !ok:
		return result(part, part)
	}
	for _, e := range p.ends {
		r.noteContains(v, textValue(e, lineOr(expr.line, n.line)), !p.anchored)
	}
	yes, depends := p.matches(v)
	if depends {
		return result(part, part)
	}
	if !yes {
		return result(numberValue(0), value{kind: isArray, array: newArray()})
	}
	return result(numberValue(1), groups(re, v, part))
}

// matches reports whether a user name matches, and whether that depends on the local part.
func (p *pattern) matches(v value) (yes, depends bool) {
	s := v.text
	if p.fold {
		s = strings.ToLower(s)
	}
	if p.at && !strings.Contains(s, "@") {
		return false, false
	}
	for _, e := range p.ends {
		if i := strings.IndexByte(e, '@'); v.open && i > 0 {
			depends = depends || strings.HasPrefix(s, e[i:])
			continue
		}
		switch {
		case p.whole && v.open:
		case p.whole && p.anchored && s == e, !p.whole && p.anchored && strings.HasSuffix(s, e),
			p.whole && !p.anchored && strings.HasPrefix(s, e), !p.whole && !p.anchored && strings.Contains(s, e):
			return true, false
		}
	}
	return len(p.ends) == 0, depends
}

// groups are what the parts in parentheses match.
func groups(re *regexp.Regexp, v value, other value) value {
	s := v.text
	if v.open {
		s = localPart + s
	}
	a := newArray()
	for i, g := range re.FindStringSubmatch(s) {
		name := re.SubexpNames()[i]
		got := other
		switch domain := strings.TrimPrefix(v.text, "@"); {
		case g == s:
			got = v
		case g == domain && domain != "":
			got = value{kind: isText, text: domain, user: true, whole: true}
		case v.open && g == localPart:
			got = value{kind: isText, user: true, open: true}
		}
		if name != "" {
			a.set(name, item{value: got})
		}
		a.push(got)
	}
	return value{kind: isArray, array: a}
}

func (r *run) matchPlain(re *regexp.Regexp, v value, result func(v, groups value) value) value {
	r.x.looksAt(v)
	a := newArray()
	m := re.FindStringSubmatch(v.text)
	for _, g := range m {
		a.push(textValue(g, v.line))
	}
	if m == nil {
		return result(numberValue(0), value{kind: isArray, array: a})
	}
	return result(numberValue(1), value{kind: isArray, array: a})
}
