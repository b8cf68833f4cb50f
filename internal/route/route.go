package route

import (
	"net/netip"
	"strings"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/upstream"
)

// Server is one mail server.
type Server struct {
	Name string // in the configuration
	Host string // an address, or a name for the resolver

	POP3, IMAP, SMTP uint16 // the ports that nginx is told

	// How a password is checked there. A port that is 0 is the one that nginx is told,
	// or with implicit TLS the protocol's own: 995, 993, 465.
	VerifyProtocol                     string // "same", "pop3", "imap" or "smtp"
	VerifyPOP3, VerifyIMAP, VerifySMTP uint16
	ConnectTimeout                     time.Duration
	Timeout                            time.Duration
	TLS                                upstream.TLS
	Mechanisms                         []string
	AllowCleartext                     bool

	MaxConnections int           // that are open at a time
	Warm           int           // connections kept open ahead of need, of each kind that is asked for
	WarmTTL        time.Duration // of such a connection

	Weight        int           // its share of the users under PolicyHash; 0 counts as 1
	CheckInterval time.Duration // between two checks in the background; 0: none

	Master *Master // nil: none
}

// Master is a login that the server accepts for any user: Dovecot's master user.
type Master struct {
	User      string
	Password  string
	Separator string // between user and master; empty: the user's own name, with the master's password
}

// Login is the name by which a master logs in as a user.
func (m *Master) Login(user string) string {
	if m.Separator == "" {
		return user
	}
	return user + m.Separator + m.User
}

// Ambiguous reports whether a server could read the login as that of another user: Dovecot
// cuts it at the first separator (auth-request-fields.c).
func (m *Master) Ambiguous(user string) bool {
	return m.Separator != "" && strings.Contains(user, m.Separator)
}

// Port is the server's port for a protocol, 0 if it is none of the three.
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

// CheckProtocols are the protocols that passwords are checked by.
func (s *Server) CheckProtocols() []string {
	if s.VerifyProtocol != "same" {
		return []string{s.VerifyProtocol}
	}
	return []string{"imap", "pop3", "smtp"}
}

// CheckProtocol returns the protocol by which the password of a client that speaks another one is checked.
func (s *Server) CheckProtocol(client string) string {
	if s.VerifyProtocol != "same" {
		return s.VerifyProtocol
	}
	return client
}

// Check says how the password of a client that speaks a protocol is checked.
func (s *Server) Check(client string, addr netip.Addr) upstream.Server {
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

// How the passwords of a domain's users are checked, unless they have an entry
// with a password of their own.
const (
	VerifyUpstream = "upstream" // ask the mail server
	VerifyUsers    = "users"    // there are no others
)

// Domain is one mail domain.
type Domain struct {
	Name    string    // in canonical form, or "*." before it
	Servers []*Server // in order of preference; at least one
	Policy  string    // PolicyOrder or PolicyHash
	Verify  string    // VerifyUpstream or VerifyUsers

	MX       []*Server // where mail from outside goes, for the method none; nil: Servers
	CatchAll bool      // every recipient counts as known

	RecipientDelimiter string // see mailaddr.CutExtension; empty: no address has an extension

	Access access.Rules
}

// MailServers are where mail from outside goes, in order of preference.
func (d *Domain) MailServers() []*Server {
	if len(d.MX) > 0 {
		return d.MX
	}
	return d.Servers
}

// Table holds domains by name. It does not change once it is made.
type Table struct{ byName map[string]*Domain }

// NewTable makes a table. Of two domains with one name the last one counts;
// the configuration does not let that happen.
func NewTable(domains []*Domain) *Table {
	t := &Table{byName: make(map[string]*Domain, len(domains))}
	for _, d := range domains {
		t.byName[d.Name] = d
	}
	return t
}

// Find returns the entry for a domain in canonical form, nil if there is none.
func (t *Table) Find(domain string) *Domain {
	if d := t.byName[domain]; d != nil {
		return d
	}
	for {
		_, parent, ok := strings.Cut(domain, ".")
		if !ok {
			return nil
		}
		if d := t.byName["*."+parent]; d != nil {
			return d
		}
		domain = parent
	}
}

// Len is the number of domains.
func (t *Table) Len() int { return len(t.byName) }

// CanonicalDomain brings the name of a configured domain to its canonical form,
// with or without "*." before it.
func CanonicalDomain(name string) (string, error) {
	rest, wild := strings.CutPrefix(name, "*.")
	ascii, err := mailaddr.Domain(rest)
	if err != nil {
		return "", err
	}
	if wild {
		return "*." + ascii, nil
	}
	return ascii, nil
}
