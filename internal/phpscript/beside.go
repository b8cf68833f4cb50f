package phpscript

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailauthd/internal/authlog"
)

// lookBeside warns of other domains that the script lets in by a comparison.
func (m *survey) lookBeside() {
	if m.anywhere {
		return
	}
	for _, d := range m.domains {
		name := strings.TrimPrefix(d.name, "*.")
		wild := name != d.name
		protocol := protocols[1]
		if d.protocols != nil {
			protocol = d.protocols[0]
		}
		letsIn := func(domain string) bool {
			return m.found[domain] == nil && isDomain(domain) && conclude(m.explore(probe{domain: domain, protocol: protocol, method: "plain"})).ok
		}
		if alike := "evil" + name; !wild && letsIn(alike) {
			m.warn(d.line, fmt.Sprintf("the script also lets in %s, because it compares only the end of the name; mailauthd does not", quoted(alike)))
		} else if alike = name + ".evil.example"; letsIn(alike) {
			m.warn(d.line, fmt.Sprintf("the script also lets in %s, because it looks for a part of the name; mailauthd does not", quoted(alike)))
		}
		if sub := "mail." + name; !wild && letsIn(sub) && !m.has("*."+name) {
			m.warn(d.line, fmt.Sprintf("the script also lets in subdomains, such as %s; mailauthd does not: add [domains.\"*.%s\"] if they are wanted", quoted(sub), name))
		}
	}
}

func (m *survey) has(name string) bool {
	return slices.ContainsFunc(m.domains, func(d *domain) bool { return d.name == name })
}

// lookWithoutDomain warns if user names without a domain are let in.
func (m *survey) lookWithoutDomain() {
	for _, v := range m.sorted(m.verdicts(probe{})) {
		if v.ok && len(v.doubts) == 0 {
			m.warn(v.host.line, fmt.Sprintf("the script sends user names without a domain to %s; mailauthd refuses them: set default_domain in [auth] if they are wanted", quoted(v.host.text)))
		}
	}
}

// lookAtMethods finds which methods the script lets in, if it looks at the method.
func (m *survey) lookAtMethods() {
	if !m.methodCounts || len(m.domains) == 0 {
		return
	}
	m.methods = []string{"plain"}
	for _, method := range []string{"cram-md5", "apop"} {
		yes, no := 0, 0
		var other *verdict
		for _, d := range m.domains {
			for p, v := range m.verdicts(probe{domain: strings.Replace(d.name, "*", "zq4k7w", 1), method: method}) {
				switch {
				case d.protocols != nil && !slices.Contains(d.protocols, p):
				case v.ok && len(v.doubts) == 0 && v.host.text == d.server.host.text:
					yes++
				default:
					no++
					if v.ok {
						other = v
					}
				}
			}
		}
		if yes > 0 {
			m.methods = append(m.methods, method)
		}
		if other != nil {
			m.tell(other.host.line, fmt.Sprintf("the script sends logins by %s to another server than by plain, which mailauthd cannot do: set methods in [auth]", method))
		} else if yes > 0 && no > 0 {
			m.tell(m.domains[0].line, fmt.Sprintf("the script lets %s in for some logins only: set methods in [auth]", method))
		}
	}
	if len(m.methods) == 3 {
		m.methods = nil
	}
}

// addElsewhere adds the servers that the script has, but whose domains are unknown.
func (m *survey) addElsewhere() {
	for _, text := range slices.Sorted(maps.Keys(m.elsewhere)) {
		if isHost(text) {
			m.addServer(m.elsewhere[text], nil)
		}
	}
	slices.SortStableFunc(m.servers, func(a, b *server) int { return a.host.line - b.host.line })
}

// plainWords say nothing about a server, so they are no names for one.
var plainWords = []string{"auth", "backend", "server", "mail", "mailserver", "ip", "host", "hostname", "addr", "address", "the", "default", "name", "proxy",
	"target", "result", "ret", "dst", "dest", "srv", "my", "pop3", "imap", "smtp", "userserver", "data", "value", "res", "s", "a", "h", "to"}

// nameServers takes names from the script, or makes some.
func (m *survey) nameServers() {
	used := make(map[string]int)
	for _, s := range m.servers {
		if s.name = serverName(s.host.name); s.name != "" {
			used[s.name]++
		}
	}
	next := 1
	for _, s := range m.servers {
		for s.name == "" || used[s.name] > 1 {
			if s.name = fmt.Sprintf("server%d", next); used[s.name] > 0 {
				s.name = ""
			}
			next++
		}
	}
}

func serverName(s string) string {
	s = strings.ToLower(s)
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || strings.Trim(s, "0123456789") == "" || len(s) > 40 {
		return ""
	}
	for _, word := range strings.FieldsFunc(s, func(c rune) bool { return c == '_' || c == '-' }) {
		if !slices.Contains(plainWords, word) {
			return s
		}
	}
	return ""
}

// sayHowChecked adds a finding if the script checks passwords in another way than at the mail server.
func (m *survey) sayHowChecked() {
	other := map[reasonKind]string{
		byIMAP:     `by imap_open: set protocol = "imap" in [servers.NAME.verify], and tls if it used that`,
		byCURL:     `by cURL: set protocol in [servers.NAME.verify] to the one of its URL, and tls if it used that`,
		byLDAP:     "in a directory: make sure that the mail servers accept the same passwords, because mailauthd asks them",
		byFile:     `in a file: give the domains verify = "users" and run "mailauthd user import FILE", or let the mail servers check them`,
		byDatabase: "in a database: make sure that the mail servers accept the same passwords, because mailauthd asks them",
	}
	for kind, text := range other {
		if why := m.by[kind]; why != nil {
			m.tell(why.line, "the script checks logins "+text)
		}
	}
	if peer := m.by[byPeer]; peer != nil {
		m.warn(peer.line, "logins depend on "+authlog.Escape(peer.what)+": allowed_clients in [listen] and secret in [auth] are such rules")
	}
	if m.by[byReply] != nil || slices.ContainsFunc(slices.Collect(maps.Keys(other)), func(k reasonKind) bool { return m.by[k] != nil }) {
		return
	}
	if why := m.by[byProgram]; why != nil {
		m.tell(why.line, "a program checks the logins: make sure that the mail servers accept the same passwords, because mailauthd asks them")
	} else if why := m.by[byPassword]; why != nil {
		m.tell(why.line, `the script checks passwords itself: give the domains verify = "users" and add the users by "mailauthd user add", or let the mail servers check them`)
	} else if why := m.by[byTime]; why != nil {
		m.warn(why.line, "the script lets logins in without a check of the password; mailauthd logs in to the mail server first")
	}
}
