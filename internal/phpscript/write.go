package phpscript

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/tomledit"
	"mailauthd/internal/upstream"
)

// What the configuration has if it does not say anything else.
const (
	failureMessage = "Invalid login or password"
	maxFailure     = 200
	logFile        = "/var/log/mailauthd/auth.log"
)

var defaultPorts = map[string]string{"pop3": "110", "imap": "143", "smtp": "25"}

var tlsPorts = map[string]int{"pop3": 995, "imap": 993, "smtp": 465}

// writer collects the lines of a configuration.
type writer struct {
	strings.Builder
	file string
}

// put writes a key with the line that it is from.
func (w *writer) put(key, value string, line int) {
	fmt.Fprintf(w, "%s = %s", key, value)
	if line > 0 {
		fmt.Fprintf(w, " # %s:%d", w.file, line)
	}
	w.WriteByte('\n')
}

func tomlList(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = tomledit.Quote(word)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// render writes the configuration.
func (m *survey) render() (first, servers string) {
	w := &writer{file: authlog.Escape(m.Name)}
	fmt.Fprintf(w, "\n# From %s, by \"mailauthd migrate php\". A comment at the end of a line says where it stands there.\n", w.file)
	m.renderListen(w)
	m.renderAuth(w)
	m.renderLog(w)
	s := &writer{file: w.file}
	for _, server := range m.servers {
		m.renderServer(s, server)
	}
	for _, d := range m.domains {
		renderDomain(s, d, "")
	}
	for _, d := range m.never {
		fmt.Fprintf(s, "\n# %s", d.without)
		renderDomain(s, d, "#")
	}
	return strings.TrimPrefix(w.String(), "\n"), s.String()
}

func (m *survey) renderListen(w *writer) {
	fmt.Fprint(w, "\n[listen]\nfastcgi = [\"unix:/run/mailauthd/fastcgi.sock\"]\nadmin = [\"unix:/run/mailauthd/admin.sock\"]\n")
	if m.HasUser("mailauthd") {
		fmt.Fprintln(w, `owner = "mailauthd"`)
	} else {
		fmt.Fprintln(w, `#owner = "mailauthd" # once systemd-sysusers has made this user`)
	}
	groups := []string{"www-data", "http", "apache", "nginx"}
	if i := slices.IndexFunc(groups, m.HasGroup); i >= 0 {
		fmt.Fprintf(w, "group = %s # the web server's group\n", tomledit.Quote(groups[i]))
	} else {
		fmt.Fprintln(w, `#group = "www-data" # the web server's group: "http" on Arch, "apache" or "nginx" on Fedora`)
	}
}

func (m *survey) renderAuth(w *writer) {
	var most *failureText
	for _, text := range slices.SortedFunc(maps.Values(m.failures), func(a, b *failureText) int {
		return cmp.Or(b.count-a.count, a.line-b.line, strings.Compare(a.text, b.text))
	}) {
		if most == nil {
			most = text
		} else {
			m.warn(text.line, fmt.Sprintf("some logins are refused with another text than in line %d; mailauthd has one text for all", most.line))
		}
	}
	k := &writer{file: w.file}
	if most != nil && most.text != failureMessage {
		if bad := badFailure(most.text); bad != "" {
			m.tell(most.line, "the text for refused logins "+bad+": set failure_message in [auth]")
		} else {
			k.put("failure_message", tomledit.Quote(most.text), most.line)
		}
	}
	if m.methods != nil {
		k.put("methods", tomlList(m.methods...), 0)
	}
	if k.Len() > 0 {
		fmt.Fprint(w, "\n[auth]\n"+k.String())
	}
}

func badFailure(s string) string {
	switch {
	case strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }):
		return "is not printable ASCII"
	case len(s) > maxFailure:
		return "is too long"
	case authhttp.CheckText(s) != nil:
		return "means something else to nginx"
	}
	return ""
}

func (m *survey) renderLog(w *writer) {
	fmt.Fprint(w, "\n[log]\n")
	if m.log.text != "" {
		fmt.Fprintf(w, "# The script wrote %s (%s:%d). mailauthd must be able to write to the directory of its log, and nobody\n# but root should be able to write to that of Apache's.\n", authlog.Escape(m.log.text), w.file, m.log.line)
	}
	fmt.Fprintf(w, "file = %s\n", tomledit.Quote(logFile))
	zone, from := m.zone.text, fmt.Sprintf("%s:%d", w.file, m.zone.line)
	if zone == "" {
		zone, from = m.Zone, authlog.Escape(m.From)
	}
	switch _, err := authlog.Zone(zone); {
	case zone == "":
		fmt.Fprintln(w, `#timezone = "Europe/Moscow" # date.timezone of php.ini: "mailauthd migrate php -php-ini FILE" reads it. Default: the system's`)
	case err != nil:
		m.warn(m.zone.line, fmt.Sprintf("the time zone %s is unknown on this machine: set timezone in [log], such as \"Europe/Moscow\"", quoted(zone)))
	default:
		fmt.Fprintf(w, "timezone = %s # %s\n", tomledit.Quote(zone), from)
	}
}

func (m *survey) renderServer(w *writer, s *server) {
	fmt.Fprintf(w, "\n[servers.%s]\n", s.name)
	w.put("host", tomledit.Quote(s.host.text), s.host.line)
	for _, p := range protocols {
		if v := s.ports[p].asText(); v.text != "" && v.text != defaultPorts[p] {
			w.put(p, strings.TrimLeft(v.text, "0 +"), v.line)
		}
	}
	v := &writer{file: w.file}
	m.renderVerify(v, s)
	if v.Len() > 0 {
		fmt.Fprintf(w, "\n[servers.%s.verify]\n%s", s.name, v.String())
	}
}

// renderVerify writes how the script logs in to a server.
func (m *survey) renderVerify(w *writer, s *server) {
	dials := make(map[string]dialogue)
	for _, d := range m.dialogues {
		if d.host == "" || d.host == s.host.text {
			dials[d.protocol] = d
		}
	}
	if same := dials["imap"]; len(dials) == len(protocols) && dials["pop3"].line == same.line && dials["pop3"].port == same.port && dials["smtp"].port == same.port {
		for _, p := range protocols {
			if fmt.Sprint(same.port) == defaultPorts[p] || same.port == tlsPorts[p] {
				w.put("protocol", tomledit.Quote(p), same.line)
				dials = map[string]dialogue{p: same}
				break
			}
		}
	}
	tls := false
	for _, p := range protocols {
		if d := dials[p]; d.tls && !tls {
			tls = true
			w.put("tls", tomledit.Quote(upstream.ImplicitTLS), d.line)
			m.warn(d.line, "mailauthd checks the certificate of the mail server: set ca_file, server_name or fingerprint in [servers.NAME.verify] if \"mailauthd check -online\" fails")
		}
	}
	for _, p := range protocols {
		d, ok := dials[p]
		preset := defaultPorts[p]
		if v := s.ports[p].asText(); v.text != "" {
			preset = v.text
		}
		if tls {
			preset = fmt.Sprint(tlsPorts[p])
		}
		if ok && d.port > 0 && d.port < 65536 && fmt.Sprint(d.port) != preset {
			w.put(p, fmt.Sprint(d.port), d.line)
		}
	}
	m.renderMechanisms(w, s, tls)
}

func (m *survey) renderMechanisms(w *writer, s *server, tls bool) {
	var names []string
	line, clear := 0, false
	for _, name := range upstream.Mechanisms() {
		for _, p := range protocols {
			if at, ok := m.mechanism[p][name]; ok && !slices.Contains(names, name) {
				names = append(names, name)
				line = at
				clear = clear || slices.Contains([]string{"PLAIN", "LOGIN", "IMAP-LOGIN", "USER"}, name)
			}
		}
	}
	if len(names) == 0 || slices.Equal(names, []string{"CRAM-MD5"}) {
		return
	}
	w.put("mechanisms", tomlList(names...), line)
	if addr, err := netip.ParseAddr(s.host.text); clear && !tls && (err != nil || !addr.IsLoopback()) {
		w.put("allow_cleartext", "true", line)
		m.warn(line, "the script sends passwords to the mail server in clear: tls in [servers.NAME.verify] protects them")
	}
}

func renderDomain(w *writer, d *domain, comment string) {
	fmt.Fprintf(w, "\n%s[domains.%s]\n", comment, tomledit.Quote(d.name))
	name := "NAME"
	if d.server != nil {
		name = d.server.name
	}
	w.WriteString(comment)
	w.put("servers", tomlList(name), d.line)
	if d.protocols != nil {
		w.WriteString(comment)
		w.put("protocols", tomlList(d.protocols...), 0)
	}
}
