package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/auth"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
)

// routed is where the logins of a user go, and why.
type routed struct {
	User      string     `json:"user"`
	Domain    string     `json:"domain"` // as it is listed
	Verify    string     `json:"verify"`
	Passdb    string     `json:"passdb,omitempty"`
	Servers   []string   `json:"servers"` // in the order in which they are tried
	ServersOf string     `json:"servers_of"`
	Policy    string     `json:"policy"`
	Login     string     `json:"login"`
	Routes    []oneRoute `json:"routes"`
	Rules     []string   `json:"rules,omitempty"`   // that refuse some logins, but are not applied here
	Running   []string   `json:"running,omitempty"` // what the running mailauthd knows
}

// oneRoute is where nginx is sent by a protocol.
type oneRoute struct {
	Protocol string `json:"protocol"`
	Server   string `json:"server"`
	Address  string `json:"address,omitempty"` // empty: the server's host cannot be resolved
	Refused  string `json:"refused,omitempty"` // why a login is refused whatever its password is
}

// routeUser prints which server the logins of a user go to, and why. It needs no password, and asks no mail server.
func routeUser(c *call) error {
	flags := c.newFlags()
	path := c.configFlag()
	clientIP := flags.String("client-ip", "", "also apply allow_nets and deny_nets to this `address` of a client")
	protocol := flags.String("protocol", "", "only this protocol of the client: imap, pop3 or smtp")
	asJSON := flags.Bool("json", false, "print JSON")
	if err := c.parse(1); err != nil {
		return err
	}
	protocols, err := routeProtocols(*clientIP, *protocol)
	if err != nil {
		return err
	}
	cfg, resolver, err := c.load(*path)
	if err != nil {
		return err
	}
	user := c.flags.Arg(0)
	target, err := auth.New(cfg.Config.Config, resolver).Target(context.Background(), user)
	if err != nil {
		return fmt.Errorf("%s", authlog.Escape(err.Error()))
	}
	rules := rulesLeftOut(target.Rules, *clientIP)
	if *clientIP == "" {
		target.Rules.AllowNets, target.Rules.DenyNets = nil, nil
	}
	r := newRouted(target, *clientIP, protocols)
	r.Rules = rules
	r.Running = c.askNotes(cfg.Config, user, *clientIP, protocols...)
	if err := c.printReport(r, *asJSON); err != nil {
		return err
	}
	if slices.ContainsFunc(r.Routes, oneRoute.isOpen) {
		return nil
	}
	return errNo
}

// routeProtocols checks the flags for the client, and returns the protocols to print.
func routeProtocols(clientIP, protocol string) ([]string, error) {
	protocols := []string{"imap", "pop3", "smtp"}
	if _, err := netip.ParseAddr(clientIP); err != nil && clientIP != "" {
		return nil, usageError("-client-ip: want an address, such as 192.0.2.7")
	}
	switch {
	case protocol == "":
		return protocols, nil
	case !slices.Contains(protocols, protocol):
		return nil, usageError("-protocol: want imap, pop3 or smtp")
	}
	return []string{protocol}, nil
}

// isOpen reports whether a login may go there.
func (to oneRoute) isOpen() bool { return to.Refused == "" && to.Address != "" }

func newRouted(t auth.Target, clientIP string, protocols []string) *routed {
	r := &routed{
		User:      t.User,
		Domain:    t.Domain.Name,
		Verify:    t.Domain.Verify,
		Passdb:    t.Passdb,
		ServersOf: t.Of,
		Policy:    t.Domain.Policy,
		Login:     t.Login,
	}
	for _, s := range t.Servers {
		r.Servers = append(r.Servers, s.Name)
	}
	for _, p := range protocols {
		to := oneRoute{Protocol: p, Server: r.Servers[0], Refused: t.Unknown}
		if why, _ := t.Rules.Refusal(access.Client{IP: clientIP, Protocol: p, TLS: true, Now: time.Now()}); why != "" {
			to.Refused = why
		}
		if t.Addr.IsValid() {
			to.Address = netip.AddrPortFrom(t.Addr, t.Servers[0].Port(p)).String()
		}
		r.Routes = append(r.Routes, to)
	}
	return r
}

// rulesLeftOut names the rules that cannot be applied, because they depend on what is not known of the client.
func rulesLeftOut(r access.Rules, clientIP string) (rules []string) {
	if r.RequireTLS != nil && *r.RequireTLS {
		rules = append(rules, "require_tls refuses clients without TLS")
	}
	if clientIP == "" && (r.AllowNets != nil || len(r.DenyNets) > 0) {
		rules = append(rules, "allow_nets or deny_nets refuses some clients: see -client-ip")
	}
	return rules
}

// Text prints one fact a line.
func (r *routed) Text(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	show := func(key, value string) { fmt.Fprintf(w, "%s\t%s\n", key, authlog.Escape(value)) }
	show("user", r.User)
	show("domain", r.Domain+r.whyDomain())
	show("verify", r.Verify)
	show("servers", strings.Join(r.Servers, ", ")+r.whyServers())
	show("login", r.Login)
	for _, to := range r.Routes {
		switch {
		case to.Refused != "":
			show(to.Protocol, "refused: "+to.Refused)
		case to.Address == "":
			show(to.Protocol, to.Server+", whose host cannot be resolved")
		default:
			show(to.Protocol, to.Server+" at "+to.Address)
		}
	}
	for _, rule := range r.Rules {
		show("rule", rule)
	}
	w.Flush()
	for _, note := range r.Running {
		fmt.Fprintln(out, "running mailauthd:", authlog.Escape(note))
	}
}

func (r *routed) whyDomain() string {
	_, domain := mailaddr.Split(r.User)
	switch {
	case r.Domain == domain:
		return ""
	case r.Domain == route.AnyDomain:
		return " (" + domain + " is not listed)"
	}
	return " (the closest to " + domain + ")"
}

func (r *routed) whyServers() string {
	why := map[string]string{
		auth.OfUser:   "of the user's entry in the map",
		auth.OfPassdb: "of the field host in passdb " + r.Passdb,
		auth.OfDomain: "of the domain",
	}[r.ServersOf]
	if len(r.Servers) > 1 {
		why += fmt.Sprintf(", tried in this order by policy = %q", r.Policy)
	}
	return " (" + why + ")"
}
