package phpscript

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
)

// survey sums up what a script does.
type survey struct {
	*explorer
	Script

	servers  []*server
	domains  []*domain
	never    []*domain // those that the script wants to let in, but does not
	anywhere bool      // logins of domains that the script does not name are let in
	failures map[string]*failureText
	by       map[reasonKind]*reason
	methods  []string // nil: all
}

// server is a mail server of the script.
type server struct {
	name  string
	host  value
	ports map[string]value
}

// domain is a domain of the script, and where its logins go.
type domain struct {
	name      string // as a key of the configuration
	line      int
	server    *server
	protocols []string // nil: all
	without   string   // why the domain is only a comment
	from      *found
}

// look finds all that the script does.
func (m *survey) look() {
	m.failures = make(map[string]*failureText)
	m.by = make(map[reasonKind]*reason)
	for _, u := range m.script.unread {
		m.tell(u.line, u.text+": write what it means for the map by hand, or write it in another way in a copy of the script")
	}
	m.lookAnywhere()
	for i := 0; i < len(m.order); i++ {
		m.lookAt(m.order[i])
	}
	m.mergeDomains()
	m.lookBeforeAt()
	m.lookAtMethods()
	m.lookBeside()
	m.lookWithoutDomain()
	m.addElsewhere()
	m.nameServers()
	m.sayHowChecked()
}

// verdicts runs the script for all protocols.
func (m *survey) verdicts(p probe) map[string]*verdict {
	all := make(map[string]*verdict)
	for _, protocol := range protocols {
		p.protocol = protocol
		if p.method == "" {
			p.method = "plain"
		}
		v := conclude(m.explore(p))
		all[protocol] = v
		for text, f := range v.failures {
			if m.failures[text] == nil {
				m.failures[text] = &failureText{value: f.value}
			}
			m.failures[text].count += f.count
		}
	}
	return all
}

// lookAnywhere finds what becomes of domains that the script does not name.
func (m *survey) lookAnywhere() {
	for _, v := range m.sorted(m.verdicts(probe{domain: unlisted})) {
		m.remember(v)
		switch {
		case len(v.doubts) > 0:
			m.anywhere = m.anywhere || v.ok
			m.doubt(v)
		case v.ok:
			m.anywhere = true
			m.addServer(v.host, nil)
			m.tell(v.host.line, fmt.Sprintf("the script sends every domain that it does not name to %s: add [domains.\"…\"] with this server for each of your domains", quoted(v.host.text)))
		}
	}
}

// sorted returns verdicts in the order of protocols.
func (m *survey) sorted(all map[string]*verdict) (list []*verdict) {
	for _, p := range protocols {
		list = append(list, all[p])
	}
	return list
}

func (m *survey) remember(v *verdict) {
	if !v.ok {
		return
	}
	if len(v.by) == 0 {
		v.by[byTime] = &reason{kind: byTime, line: v.host.line} // no check at all
	}
	for kind, why := range v.by {
		if m.by[kind] == nil || why.line < m.by[kind].line {
			m.by[kind] = why
		}
	}
}

// lookBeforeAt tells about a text that is looked for in the whole user name, unless that is a domain.
func (m *survey) lookBeforeAt() {
	for text, line := range m.explorer.anywhere {
		if !slices.ContainsFunc(slices.Concat(m.domains, m.never), func(d *domain) bool { return d.from == m.found[text] }) {
			m.tell(line, fmt.Sprintf("the script looks for %s also before the \"@\" of the user name, and mailauthd chooses the server by the domain: write what that decides by hand", quoted(text)))
		}
	}
}

// doubt tells what a login depends on that this command does not understand.
func (m *survey) doubt(v *verdict) string {
	for _, h := range v.hosts {
		m.elsewhere[h.text] = h
	}
	var most *reason
	for _, why := range v.doubts {
		m.tell(why.line, "a login depends here on "+authlog.Escape(why.what)+": "+adviceFor(why.kind))
		most = worst(most, why)
	}
	return fmt.Sprintf("line %d: the login depends on %s", most.line, authlog.Escape(most.what))
}

func adviceFor(kind reasonKind) string {
	switch kind {
	case byUser:
		return `mailauthd chooses the server by the domain; add [users."NAME@DOMAIN"] with servers for users whose server is another`
	case byDatabase, byLDAP, byFile:
		return "write the domains and servers that it has into [domains] and [servers]"
	case byRandom:
		return `give the domain all these servers, as servers = ["a", "b"] with policy = "hash"`
	case byHeader:
		return "see require_tls, allow_nets and protocols for such rules, and write the domain by hand"
	case byInclude:
		return "put the text of the file into a copy of the script, in place of this line"
	}
	return "write the domains and servers that it decides about by hand"
}

// lookAt finds where logins of a domain go.
func (m *survey) lookAt(text string) {
	f := m.found[text]
	name, at := text, text
	if text[0] == '.' {
		name, at = "*"+text, "zq4k7w"+text
	}
	if !utf8.ValidString(text) || !isDomain(at) {
		return
	}
	all := m.verdicts(probe{domain: at})
	d := &domain{name: name, from: f, line: f.sorted()[0].line}
	for _, mn := range f.sorted() {
		if f.evaluated[mn.line] && !mn.never {
			d.line = mn.line
			break
		}
	}
	if m.fill(d, all) {
		m.place(d, text)
	} else if d.without != "" {
		m.never = append(m.never, d)
	} else {
		m.refused(d, text)
	}
	m.warnOfLengths(f, text)
}

// fill sets the server of a domain. It reports whether the script decides it.
func (m *survey) fill(d *domain, all map[string]*verdict) bool {
	ports := make(map[string]value)
	var host *value
	for _, p := range protocols {
		v := all[p]
		m.remember(v)
		switch {
		case len(v.doubts) > 0:
			d.without = m.doubt(v)
			return false
		case !v.ok:
			continue
		case host != nil && host.text != v.host.text:
			d.without = fmt.Sprintf("lines %d and %d: the protocols go to different servers", host.line, v.host.line)
			m.tell(v.host.line, fmt.Sprintf("the domain %s has another server for %s than in line %d, which a domain of mailauthd cannot have: write it by hand", quoted(d.name), p, host.line))
			return false
		}
		host = &v.host
		ports[p] = v.port
		d.protocols = append(d.protocols, p)
	}
	if host == nil {
		return false
	}
	if d.server = m.addServer(*host, ports); d.server == nil {
		d.without = fmt.Sprintf("line %d: the server is no address", host.line)
		return false
	}
	if len(d.protocols) == len(protocols) {
		d.protocols = nil
	}
	return true
}

// place accepts a domain, unless what the script compares is too short for one.
func (m *survey) place(d *domain, text string) {
	exact := slices.ContainsFunc(d.from.sorted(), func(mn mention) bool { return mn.exact })
	if !exact && !strings.Contains(strings.Trim(text, "."), ".") {
		m.tell(d.line, fmt.Sprintf("the script lets in every domain that has %s at this place of its name: add [domains.\"…\"] for each of yours", quoted(text)))
		d.without = fmt.Sprintf("line %d: the script compares only a part of the domain", d.line)
		m.never = append(m.never, d)
		return
	}
	m.domains = append(m.domains, d)
	for _, mn := range d.from.sorted() {
		if !d.from.evaluated[mn.line] && !mn.never && mn.line != d.line {
			m.warn(mn.line, fmt.Sprintf("%s is decided before, as in line %d: no login of this domain gets here", quoted(text), d.line))
		}
	}
}

// refused handles a domain that the script never lets in.
func (m *survey) refused(d *domain, text string) {
	mentions := d.from.sorted()
	i := slices.IndexFunc(mentions, func(mn mention) bool { return mn.never })
	if i < 0 {
		if !strings.Contains(text, ".") {
			return
		}
		m.warn(d.line, fmt.Sprintf("the script compares something with %s, but lets no login of this domain in: the domain is left out", quoted(text)))
		return
	}
	d.line = mentions[i].line
	at := strings.TrimPrefix(d.name, "*.")
	forced := *d
	if m.fill(&forced, m.verdicts(probe{domain: at, force: text})) {
		*d = forced
	}
	d.without = fmt.Sprintf("line %d compares %d characters with %d: the script never let this domain in", d.line, mentions[i].cut, mentions[i].size)
	m.never = append(m.never, d)
}

func (m *survey) warnOfLengths(f *found, text string) {
	for _, mn := range f.sorted() {
		if mn.never {
			m.warn(mn.line, fmt.Sprintf("the script compares the last %d characters with %s, which has %d: this never matches, so no such user was let in", mn.cut, quoted(text), mn.size))
		}
	}
}

// mergeDomains keeps one of several spellings of a domain.
func (m *survey) mergeDomains() {
	first := make(map[string]*domain)
	m.domains = slices.DeleteFunc(m.domains, func(d *domain) bool {
		name := canonical(d.name)
		other := first[name]
		if other == nil {
			first[name] = d
			return false
		}
		if other.server != d.server || !slices.Equal(other.protocols, d.protocols) {
			m.tell(d.line, fmt.Sprintf("%s is %s of line %d in another spelling, and has another server: mailauthd does not tell them apart", quoted(d.name), quoted(other.name), other.line))
		}
		return true
	})
	m.never = slices.DeleteFunc(m.never, func(d *domain) bool { return first[canonical(d.name)] != nil })
}

// canonical returns the name that mailauthd compares.
func canonical(name string) string {
	base, wild := strings.CutPrefix(name, "*.")
	base, _ = mailaddr.Domain(base)
	if wild {
		base = "*." + base
	}
	return base
}

func isDomain(s string) bool {
	_, err := mailaddr.Domain(s)
	return err == nil
}

// isAddress reports whether nginx can connect to s.
func isAddress(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
}

// isHost reports whether s is an address or may be the name of a server.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return isAddress(s)
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return utf8.ValidString(s) && isDomain(s) && strings.Trim(last, "0123456789") != ""
}

// addServer finds or makes a server. It returns nil if the script has no address for it.
func (m *survey) addServer(host value, ports map[string]value) *server {
	if !isHost(host.text) {
		m.tell(host.line, fmt.Sprintf("%s is no address of a mail server: want one such as \"192.168.0.1\"", quoted(host.text)))
		return nil
	}
	for p, v := range ports {
		if n, err := strconv.Atoi(v.asText().text); err != nil || n < 1 || n > 65535 {
			m.tell(lineOr(v.line, host.line), fmt.Sprintf("%s is no port for %s: want a number from 1 to 65535", quoted(v.asText().text), p))
			return nil
		}
	}
	for _, s := range m.servers {
		if s.host.text == host.text && s.agrees(ports) {
			for p, v := range ports {
				s.ports[p] = v
			}
			if s.host.name == "" {
				s.host.name = host.name
			}
			return s
		}
	}
	s := &server{host: host, ports: make(map[string]value)}
	for p, v := range ports {
		s.ports[p] = v
	}
	m.servers = append(m.servers, s)
	return s
}

func (s *server) agrees(ports map[string]value) bool {
	for p, v := range ports {
		if old, ok := s.ports[p]; ok && old.asText().text != v.asText().text {
			return false
		}
	}
	return true
}
