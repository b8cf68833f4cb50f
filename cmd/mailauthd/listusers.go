package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/auth"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// listUsers prints a line for each user: the name, the state of the account, and the
// schemes of its passwords.
func listUsers(c *call) error {
	c.newFlags()
	path := c.configFlag()
	if err := c.parseBetween(0, 1); err != nil {
		return err
	}
	source, err := config.Open(*path)
	if err != nil {
		return withHint(err)
	}
	matches := mailaddr.Mask(c.flags.Arg(0))
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, name := range source.Names() {
		if matches(name) {
			u := source.Users.Lookup(name)
			fmt.Fprintf(w, "%s\t%s\t%s\n", authlog.Escape(name), state(rulesOf(source.Config, u)), strings.Join(schemes(u), ","))
		}
	}
	return w.Flush()
}

// rulesOf returns the rules in force for a user: those of the user, of the domain, and of [auth].
func rulesOf(c *config.Config, u *users.User) access.Rules {
	_, domain := mailaddr.Split(u.Name)
	return u.Settings().Access.Under(c.Domains.Find(domain).Access).Under(c.Access)
}

func state(r access.Rules) string {
	switch {
	case r.NoLogin != nil && *r.NoLogin:
		return "disabled"
	case !r.Expires.IsZero() && !time.Now().Before(r.Expires):
		return "expired"
	}
	return "enabled"
}

func schemes(u *users.User) []string {
	var names []string
	for i := range u.Passwords {
		names = append(names, u.Passwords[i].Hash.Scheme())
	}
	return names
}

// showUser prints a user's entry in the map or in the passdb of the domain, and the rules in force for the user. Of a secret it prints
// only that it is set.
func showUser(c *call) error {
	c.newFlags()
	path := c.configFlag()
	if err := c.parse(1); err != nil {
		return err
	}
	source, err := config.Open(*path)
	if err != nil {
		return withHint(err)
	}
	at, ok := source.Locate(c.flags.Arg(0))
	u, passdb := source.Users.Lookup(at.User), (*auth.Passdb)(nil)
	if !ok {
		if u, passdb, err = inPassdb(source.Config, c.flags.Arg(0)); err != nil {
			return err
		}
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	show := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", key, authlog.Escape(value))
		}
	}
	show("user", u.Name)
	if ok {
		show("file", fmt.Sprintf("%s:%d", at.File, at.Line))
	}
	if passdb != nil {
		show("passdb", passdb.Name)
	}
	showEntry(show, source, u, passdb)
	showRules(show, rulesOf(source.Config, u))
	return w.Flush()
}

// inPassdb finds a user in the passdb of the domain. What would refuse every login of the user is an error.
func inPassdb(c *config.Config, written string) (*users.User, *auth.Passdb, error) {
	name, err := c.Canonical(written)
	if err != nil {
		return nil, nil, err
	}
	_, domain := mailaddr.Split(name)
	p, unlisted := passdbOf(c, domain)
	if p == nil {
		return nil, nil, notInMap(written)
	}
	if unlisted && p.HasDomain != nil {
		if ours, err := p.HasDomain(context.Background(), domain); err != nil {
			return nil, nil, err
		} else if !ours {
			return nil, nil, fmt.Errorf("passdb %q does not have the domain %q: its domain_query says whether a domain is one of ours", p.Name, domain)
		}
	}
	u, err := p.Directory.Find(context.Background(), name)
	switch {
	case err != nil:
		return nil, nil, err
	case u == nil:
		return nil, nil, fmt.Errorf("user %q is neither in the map nor in passdb %q", written, p.Name)
	}
	for _, host := range u.Settings().Servers {
		if !slices.ContainsFunc(c.Servers, func(s *route.Server) bool { return s.Name == host || strings.EqualFold(s.Host, host) }) {
			return nil, nil, fmt.Errorf("passdb %q: user %q: field host: no server in [servers] has the name or the host %q", p.Name, written, host)
		}
	}
	return u, p, nil
}

// passdbOf returns the passdb of a domain, nil if there is none. It also reports whether the domain is not listed.
func passdbOf(c *config.Config, domain string) (p *auth.Passdb, unlisted bool) {
	d := c.Domains.Find(domain)
	if d == nil {
		return nil, false
	}
	for _, p := range c.Passdbs {
		if p.Name == d.Verify {
			return p, d.Name == route.AnyDomain
		}
	}
	return nil, false
}

func showEntry(show func(key, value string), source *config.Source, u *users.User, passdb *auth.Passdb) {
	_, name := mailaddr.Split(u.Name)
	domain := source.Domains.Find(name)
	for i := range u.Passwords {
		p := &u.Passwords[i]
		text := p.Hash.Scheme()
		if p.Label != "" {
			text += ", label " + p.Label
		}
		if p.Protocols != nil {
			text += ", only for " + strings.Join(p.Protocols, ", ")
		}
		show("password", text)
	}
	switch {
	case len(u.Passwords) > 0:
	case passdb == nil:
		show("password", "none; the domain has verify = "+domain.Verify)
	case passdb.Lookup != nil:
		show("password", "proved by a bind")
	default:
		show("password", "none; every login is refused")
	}
	settings := u.Settings()
	servers := settings.Servers
	for _, s := range domain.Servers {
		if len(settings.Servers) == 0 {
			servers = append(servers, s.Name)
		}
	}
	show("servers", strings.Join(servers, ", "))
	show("login", settings.Login)
	if settings.UpstreamPassword != "" {
		show("upstream_password", "set")
	}
	show("aliases", strings.Join(settings.Aliases, ", "))
	show("fingerprint", strings.Join(settings.Fingerprints, ", "))
	show("subject", strings.Join(settings.Subjects, "; "))
	if settings.Master {
		show("master", "true")
	}
}

func showRules(show func(key, value string), r access.Rules) {
	show("state", state(r))
	if r.NoLogin != nil && *r.NoLogin {
		show("reason", r.Reason)
	}
	if !r.Expires.IsZero() {
		show("expires", r.Expires.Format(time.RFC3339))
	}
	show("protocols", strings.Join(r.Protocols, ", "))
	if r.RequireTLS != nil {
		show("require_tls", fmt.Sprint(*r.RequireTLS))
	}
	show("allow_nets", joinNets(r.AllowNets))
	show("deny_nets", joinNets(r.DenyNets))
}

func joinNets(nets []netip.Prefix) string {
	var texts []string
	for _, n := range nets {
		texts = append(texts, n.String())
	}
	return strings.Join(texts, ", ")
}
