package migrate

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/config"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/tomledit"
	"mailauthd/internal/users"
)

// login is a login by the old script, as it is in a log.
type login struct {
	user             string // decoded
	method, protocol string
	server, port     string // where nginx was sent; empty: not known
}

// router decides where logins go, and asks nobody.
type router struct {
	*config.Config
	domains map[string]bool // the listed domains, without "*."
}

func newRouter(c *config.Config) *router {
	r := &router{c, make(map[string]bool)}
	for _, name := range c.Domains.Names() {
		r.domains[strings.TrimPrefix(name, "*.")] = true
	}
	return r
}

// finding is how a login differs. The zero finding is none.
type finding struct {
	kind Kind
	what string
	set  string // the key to set, or what else to do
}

// same is a login that goes the same way.
var same = finding{}

// find compares a login with the decision by the configuration. It looks at everything but the password and the client's
// address. notCompared reports that the configuration has a host name for the server.
func (r *router) find(l *login) (f finding, notCompared bool) {
	if f, ok := r.findMethod(l); !ok {
		return f, false
	}
	if l.user == "" && l.method == string(authhttp.External) {
		return same, false // the name is in the certificate, which the log does not have
	}
	name, domain, f := r.findName(l)
	if domain == nil {
		return f, false
	}
	entry := r.entry(name, domain)
	if f := usable(l, domain, entry); f != same {
		return f, false
	}
	return r.findServer(l, name, domain, entry)
}

const giveCleartext = "give these users a password in cleartext in the map, or let nginx offer plain only"

func (r *router) findMethod(l *login) (finding, bool) {
	switch method := authhttp.Method(l.method); {
	case slices.Contains(r.Methods, l.method) && method != authhttp.None:
		return same, true
	case method == authhttp.None && slices.Contains(r.Methods, l.method):
		return same, false // the log has no recipient
	case slices.Contains([]authhttp.Method{authhttp.Plain, authhttp.APOP, authhttp.CRAMMD5, authhttp.External, authhttp.None}, method):
		return finding{MethodOff, l.method, fmt.Sprintf(`add %q to [auth] methods`, l.method)}, false
	}
	return finding{kind: Refused, what: "method " + strconv.Quote(l.method) + " does not exist"}, false
}

// findName returns the canonical form of the login's name, and its domain. The domain is nil if the name is refused.
func (r *router) findName(l *login) (string, *route.Domain, finding) {
	refused := func(what string) (string, *route.Domain, finding) {
		return "", nil, finding{kind: Refused, what: what}
	}
	if err := authhttp.CheckUser(l.user); err != nil {
		return refused(err.Error())
	}
	target, _, isMaster := strings.Cut(l.user, "*")
	if !isMaster || !r.Users.HasMasters() {
		target = l.user
	}
	name, err := r.Canonical(target)
	if err != nil {
		return refused(err.Error())
	}
	local, domain := mailaddr.Split(name)
	switch found := r.Domains.Find(domain); {
	case domain == "" && !strings.Contains(name, "@"):
		return name, nil, finding{kind: NoDomain, set: `set [auth] default_domain`}
	case local == "" || domain == "":
		return refused("user name without a local part or a domain")
	case found != nil:
		return name, found, same
	}
	return name, nil, r.unlisted(domain)
}

// unlisted says how a domain that is not listed resembles one that is.
func (r *router) unlisted(domain string) finding {
	add := func(name string) string { return `add [domains.` + tomledit.Quote(name) + `]` }
	for i := 1; i < len(domain); i++ {
		switch listed := domain[i:]; {
		case !r.domains[listed]:
		case domain[i-1] == '.':
			return finding{Subdomain, domain + " of " + listed, add("*." + listed)}
		default:
			return finding{LookAlike, domain + " of " + listed, "only if the domain is yours, " + add(domain)}
		}
	}
	return finding{UnknownDomain, domain, add(domain)}
}

// entry returns the user's entry in the map, nil if there is none.
func (r *router) entry(name string, d *route.Domain) *users.User {
	entry := r.Users.Lookup(name)
	if base, cut := mailaddr.CutExtension(name, d.RecipientDelimiter); cut && entry == nil {
		entry = r.Users.Lookup(base)
	}
	return entry
}

// usable says why a user cannot log in with any password, by this method and protocol.
func usable(l *login, d *route.Domain, entry *users.User) finding {
	rules := d.Access
	if entry != nil {
		rules = entry.Settings().Access.Under(d.Access)
	}
	hasPassword := entry != nil && len(entry.Passwords) > 0
	digest := l.method == string(authhttp.CRAMMD5) || l.method == string(authhttp.APOP)
	switch {
	case rules.NoLogin != nil && *rules.NoLogin:
		return finding{Rules, "nologin", "remove nologin"}
	case rules.Protocols != nil && !slices.Contains(rules.Protocols, l.protocol):
		return finding{Rules, "protocols has no " + l.protocol, fmt.Sprintf("add %q to protocols", l.protocol)}
	case d.Verify == route.VerifyUsers && !hasPassword && l.method != string(authhttp.External):
		return finding{NoEntry, d.Name, `"mailauthd user add USER", or verify = "upstream" in [domains.` + tomledit.Quote(d.Name) + `]`}
	case digest && !hasPassword:
		return finding{CannotUse, l.method, giveCleartext}
	}
	return same
}

// findServer compares the server of a login with the first one that mailauthd would send nginx to.
func (r *router) findServer(l *login, name string, d *route.Domain, entry *users.User) (f finding, notCompared bool) {
	servers := d.Servers
	set := "set servers in [domains." + tomledit.Quote(d.Name) + "]"
	if entry != nil {
		name = entry.Name
		if own := entry.Settings().Servers; len(own) > 0 {
			set = "set servers in [users." + tomledit.Quote(name) + "]"
			servers = servers[:0:0]
			for _, s := range r.Servers {
				if slices.Contains(own, s.Name) {
					servers = append(servers, s)
				}
			}
			slices.SortFunc(servers, func(a, b *route.Server) int {
				return slices.Index(own, a.Name) - slices.Index(own, b.Name)
			})
		}
	}
	s := route.Choose(servers, d.Policy, name)[0]
	now := strconv.Itoa(int(s.Port(l.protocol)))
	samePort := l.port == "" || l.port == now
	if l.server == "" || sameHost(l.server, s.Host) && samePort {
		return same, false
	}
	if _, err := netip.ParseAddr(s.Host); err != nil && samePort {
		return same, true
	}
	what := fmt.Sprintf("of %s: %s, now %s (server %q)", d.Name, hostPort(l.server, l.port), hostPort(s.Host, now), s.Name)
	return finding{OtherServer, what, set + ", or host and port of [servers." + s.Name + "]"}, false
}

func sameHost(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	if err1 != nil || err2 != nil {
		return strings.EqualFold(a, b)
	}
	return x.Unmap() == y.Unmap()
}

func hostPort(host, port string) string {
	if port == "" {
		return host
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}
