package route

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/upstream"
)

// Server is one mail server.
type Server struct {
	Name string // in the configuration
	Host string // an address, or a host name for the resolver

	POP3, IMAP, SMTP uint16 // the ports that nginx connects to

	// How a password is checked at the server. VerifyPOP3, VerifyIMAP and VerifySMTP are
	// ports. If one is 0, it is the port above, or with implicit TLS the standard one: 995,
	// 993 or 465.
	VerifyProtocol                     string // "same", "pop3", "imap" or "smtp"
	VerifyPOP3, VerifyIMAP, VerifySMTP uint16
	ConnectTimeout                     time.Duration
	Timeout                            time.Duration
	TLS                                upstream.TLS
	Mechanisms                         []string
	AllowCleartext                     bool

	MaxConnections int           // the largest number of open connections
	Warm           int           // how many connections are opened in advance; see upstream.NewPool
	WarmTTL        time.Duration // how long such a connection is kept

	Weight        int           // its share of the users with PolicyHash; 0 counts as 1
	CheckInterval time.Duration // between two background probes; 0: none

	Master *Master // nil: none
}

// Master is a login that the server accepts for any user. Dovecot calls it a master user.
type Master struct {
	User      string
	Password  string
	Separator string // between user and master; if empty, the login is the user's name alone
}

// Login returns the name with which the master logs in as user.
func (m *Master) Login(user string) string {
	if m.Separator == "" {
		return user
	}
	return user + m.Separator + m.User
}

// Ambiguous reports whether a server could take the login for that of another user, because
// Dovecot cuts it at the first separator (auth-request-fields.c).
func (m *Master) Ambiguous(user string) bool {
	return m.Separator != "" && strings.Contains(user, m.Separator)
}

// Port returns the server's port for a protocol, or 0 if it is none of the three.
func (s *Server) Port(protocol string) uint16 {
	switch protocol {
	case "pop3":
		return s.POP3
	case "imap":
		return s.IMAP
	case "smtp":
		return s.SMTP
	}
	return 0
}

// CheckProtocols returns the protocols on which passwords are checked.
func (s *Server) CheckProtocols() []string {
	if s.VerifyProtocol != "same" {
		return []string{s.VerifyProtocol}
	}
	return []string{"imap", "pop3", "smtp"}
}

// CheckProtocol returns the protocol on which the password of a client is checked. The
// client's own protocol may be another.
func (s *Server) CheckProtocol(client string) string {
	if s.VerifyProtocol != "same" {
		return s.VerifyProtocol
	}
	return client
}

// Upstream returns how a password is checked at the server: at addr, for a client that speaks
// the protocol client.
func (s *Server) Upstream(client string, addr netip.Addr) upstream.Server {
	protocol := s.CheckProtocol(client)
	return upstream.Server{
		Protocol:       protocol,
		Addr:           netip.AddrPortFrom(addr, s.checkPort(protocol)),
		ConnectTimeout: s.ConnectTimeout,
		Timeout:        s.Timeout,
		TLS:            s.TLS,
		Mechanisms:     s.Mechanisms,
		AllowCleartext: s.AllowCleartext,
	}
}

func (s *Server) checkPort(protocol string) uint16 {
	configured := map[string]uint16{"pop3": s.VerifyPOP3, "imap": s.VerifyIMAP, "smtp": s.VerifySMTP}[protocol]
	switch {
	case configured != 0:
		return configured
	case s.TLS.Mode == upstream.ImplicitTLS:
		return map[string]uint16{"pop3": 995, "imap": 993, "smtp": 465}[protocol]
	}
	return s.Port(protocol)
}

// How the passwords of a domain's users are checked. A user whose entry has a password is
// checked against that one.
const (
	VerifyUpstream = "upstream" // the mail server is asked
	VerifyUsers    = "users"    // only users with an entry can log in
)

// Domain is one mail domain.
type Domain struct {
	Name    string    // in canonical form, with "*." before it if it is a wildcard
	Servers []*Server // in order of preference; at least one
	Policy  string    // PolicyOrder or PolicyHash
	Verify  string    // VerifyUpstream, VerifyUsers, or the name of a passdb

	MX       []*Server // for mail from outside (the method none); nil: Servers
	CatchAll bool      // every recipient counts as known

	RecipientDelimiter string // see mailaddr.CutExtension; empty: no address has an extension

	Access access.Rules
}

// MailServers returns the servers for mail from outside, in order of preference.
func (d *Domain) MailServers() []*Server {
	if len(d.MX) > 0 {
		return d.MX
	}
	return d.Servers
}

// wildcard begins the name of a domain that stands for all its subdomains.
const wildcard = "*."

// AnyDomain is the name of the entry for all domains that are not listed.
const AnyDomain = "*"

// Table holds domains by name. It is immutable.
type Table struct{ byName map[string]*Domain }

// NewTable makes a table. Of two domains with the same name the last one counts. The
// configuration does not allow that.
func NewTable(domains []*Domain) *Table {
	t := &Table{byName: make(map[string]*Domain, len(domains))}
	for _, d := range domains {
		t.byName[d.Name] = d
	}
	return t
}

// Find returns the entry for a domain in canonical form, or nil if there is none. An exact name goes
// before a wildcard, a longer wildcard before a shorter one, and AnyDomain is the last.
func (t *Table) Find(domain string) *Domain {
	if d := t.byName[domain]; d != nil {
		return d
	}
	for {
		_, parent, ok := strings.Cut(domain, ".")
		if !ok {
			return t.byName[AnyDomain]
		}
		if d := t.byName[wildcard+parent]; d != nil {
			return d
		}
		domain = parent
	}
}

// Names returns the names of all domains in canonical form, sorted.
func (t *Table) Names() []string { return slices.Sorted(maps.Keys(t.byName)) }

// All yields the domains, in no order.
func (t *Table) All() iter.Seq[*Domain] { return maps.Values(t.byName) }

// Len returns the number of domains.
func (t *Table) Len() int { return len(t.byName) }

// CanonicalDomain returns the canonical form of the name of a configured domain, which may
// begin with "*.".
func CanonicalDomain(name string) (string, error) {
	if name == AnyDomain {
		return name, nil
	}
	rest, wild := strings.CutPrefix(name, wildcard)
	ascii, err := mailaddr.Domain(rest)
	if err != nil {
		return "", err
	}
	if wild {
		return wildcard + ascii, nil
	}
	return ascii, nil
}
