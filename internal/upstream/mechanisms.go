package upstream

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Auto, as the only mechanism, selects the strongest that the server offers.
const Auto = "auto"

// Commands that log in without SASL.
const (
	imapLogin = "IMAP-LOGIN"
	pop3User  = "USER"
	pop3APOP  = "APOP"
)

// mechanism is a way to log in: a SASL mechanism, or a command of a protocol.
type mechanism struct {
	name      string
	protocol  string // the only one that has it, or empty
	plaintext bool   // the password is sent

	sasl    func(ctx context.Context, s Server, user, password string) exchange
	command func(c *Conn, user, password string) (reply string, err error)
}

// mechanisms has the strongest first.
var mechanisms = []*mechanism{
	{name: "SCRAM-SHA-256", sasl: newSCRAM(sha256.New)},
	{name: "SCRAM-SHA-1", sasl: newSCRAM(sha1.New)},
	{name: cramMD5, sasl: newCRAMMD5},
	{name: pop3APOP, protocol: "pop3", command: apopCommand},
	{name: "PLAIN", plaintext: true, sasl: newPlain},
	{name: "LOGIN", plaintext: true, sasl: newLogin},
	{name: imapLogin, protocol: "imap", plaintext: true, command: loginCommand},
	{name: pop3User, protocol: "pop3", plaintext: true, command: userCommand},
}

func (m *mechanism) login(ctx context.Context, c *Conn, user, password string) (string, error) {
	if m.command != nil {
		return m.command(c, user, password)
	}
	return c.authenticate(m.name, m.sasl(ctx, c.server, user, password))
}

// Mechanisms returns the names of all mechanisms, the strongest first.
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

// configured returns the mechanisms in s.Mechanisms that the protocol has, in order.
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
			return nil, fmt.Errorf("unknown mechanism %q, want one of %s", name, strings.Join(Mechanisms(), ", "))
		}
		if m.protocol == "" || m.protocol == s.Protocol {
			list = append(list, m)
		}
	}
	if list == nil {
		return nil, fmt.Errorf("%s has none of the mechanisms %s: add another, such as CRAM-MD5", s.Protocol, strings.Join(wanted, ", "))
	}
	return list, nil
}

func (s Server) auto() bool { return len(s.Mechanisms) == 1 && s.Mechanisms[0] == Auto }

// permitted returns the mechanisms in list that do not send the password without TLS, unless
// that is allowed or the server is on this machine.
func (s Server) permitted(list []*mechanism) ([]*mechanism, error) {
	if s.encrypted() || s.AllowCleartext || s.Addr.Addr().Unmap().IsLoopback() {
		return list, nil
	}
	safe := slices.DeleteFunc(slices.Clone(list), func(m *mechanism) bool { return m.plaintext })
	if len(safe) == 0 {
		return nil, fmt.Errorf(`%s would send the password without TLS: set tls to "starttls" or "implicit", or allow_cleartext = true`,
			strings.Join(names(list), ", "))
	}
	return safe, nil
}

// choose returns the mechanism to log in by. If the server has not said which ones it offers, it
// returns several, to be tried in this order.
func (s Server) choose(o capabilities) ([]*mechanism, error) {
	list, err := s.configured()
	if err != nil {
		return nil, err
	}
	// A single mechanism is tried even if the greeting does not list it.
	if s.auto() || o.complete && (o.asked || len(list) > 1) {
		offered := slices.DeleteFunc(slices.Clone(list), func(m *mechanism) bool { return !o.offers(m.name) })
		if len(offered) == 0 {
			return nil, fmt.Errorf("server offers %s, but none of the mechanisms %s: configure others",
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
