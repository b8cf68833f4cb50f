package upstream

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Auto, as the only mechanism, is the strongest that the server offers.
const Auto = "auto"

// The commands that a protocol had before SASL, and the oldest digest.
const (
	imapLogin = "IMAP-LOGIN"
	pop3User  = "USER"
	pop3APOP  = "APOP"
)

// mechanism is a way to prove a password: one of SASL, or a command of a protocol.
type mechanism struct {
	name     string
	protocol string // the only one that has it, or empty
	shows    bool   // the password, to whoever sees the connection

	sasl    func(ctx context.Context, s Server, user, password string) exchange
	command func(c *Conn, user, password string) (reply string, err error)
}

// mechanisms are those that there are, the strongest first.
var mechanisms = []*mechanism{
	{name: "SCRAM-SHA-256", sasl: newSCRAM(sha256.New)},
	{name: "SCRAM-SHA-1", sasl: newSCRAM(sha1.New)},
	{name: cramMD5, sasl: newCRAMMD5},
	{name: pop3APOP, protocol: "pop3", command: apopCommand},
	{name: "PLAIN", shows: true, sasl: newPlain},
	{name: "LOGIN", shows: true, sasl: newLogin},
	{name: imapLogin, protocol: "imap", shows: true, command: loginCommand},
	{name: pop3User, protocol: "pop3", shows: true, command: userCommand},
}

func (m *mechanism) login(ctx context.Context, c *Conn, user, password string) (string, error) {
	if m.command != nil {
		return m.command(c, user, password)
	}
	return c.authenticate(m.name, m.sasl(ctx, c.server, user, password))
}

// Mechanisms are the names that [Server] knows, the strongest first.
func Mechanisms() []string { return names(mechanisms) }

func names(list []*mechanism) []string {
	var s []string
	for _, m := range list {
		s = append(s, m.name)
	}
	return s
}

func named(name string) *mechanism {
	i := slices.IndexFunc(mechanisms, func(m *mechanism) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return mechanisms[i]
}

// configured are the server's mechanisms that its protocol has, in order.
func (s Server) configured() ([]*mechanism, error) {
	wanted := s.Mechanisms
	switch {
	case len(wanted) == 0:
		wanted = []string{cramMD5}
	case s.auto():
		wanted = Mechanisms()
	}
	var list []*mechanism
	for _, name := range wanted {
		m := named(name)
		if m == nil {
			return nil, fmt.Errorf("no mechanism %q, there are: %s", name, strings.Join(Mechanisms(), ", "))
		}
		if m.protocol == "" || m.protocol == s.Protocol {
			list = append(list, m)
		}
	}
	if list == nil {
		return nil, fmt.Errorf("none of the mechanisms %s is one of %s: set another", strings.Join(wanted, ", "), s.Protocol)
	}
	return list, nil
}

func (s Server) auto() bool { return len(s.Mechanisms) == 1 && s.Mechanisms[0] == Auto }

// permitted are those of the list that do not show the password to the network.
func (s Server) permitted(list []*mechanism) ([]*mechanism, error) {
	if s.encrypted() || s.AllowCleartext || s.Addr.Addr().Unmap().IsLoopback() {
		return list, nil
	}
	safe := slices.DeleteFunc(slices.Clone(list), func(m *mechanism) bool { return m.shows })
	if len(safe) == 0 {
		return nil, fmt.Errorf(`%s shows the password on the network: set tls to "starttls" or "implicit", or allow_cleartext = true`,
			strings.Join(names(list), ", "))
	}
	return safe, nil
}

// choose picks the mechanism to log in by. It is several, to be tried in this order,
// where the server has not said which ones it offers.
func (s Server) choose(o capabilities) ([]*mechanism, error) {
	list, err := s.configured()
	if err != nil {
		return nil, err
	}
	// A single mechanism is asked for even if a greeting does not list it.
	if s.auto() || o.complete && (o.asked || len(list) > 1) {
		offered := slices.DeleteFunc(slices.Clone(list), func(m *mechanism) bool { return !o.offers(m.name) })
		if len(offered) == 0 {
			return nil, fmt.Errorf("server offers %s, none of the mechanisms %s: set others",
				orNothing(o.mechanisms), strings.Join(names(list), ", "))
		}
		list = offered
		if list, err = s.permitted(list); err != nil {
			return nil, err
		}
		return list[:1], nil
	}
	return s.permitted(list)
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "no mechanism"
	}
	return strings.Join(list, ", ")
}
