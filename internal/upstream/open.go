package upstream

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Check finds what of the description of a server keeps every login from it.
func (s Server) Check() error {
	if err := s.checkDialogue(); err != nil {
		return err
	}
	list, err := s.configured()
	if err == nil {
		_, err = s.permitted(list)
	}
	return err
}

func (s Server) checkDialogue() error {
	if dialects[s.Protocol] == nil {
		return fmt.Errorf("no dialogue for protocol %q", s.Protocol)
	}
	if !slices.Contains([]string{"", NoTLS, StartTLS, ImplicitTLS}, s.TLS.Mode) {
		return fmt.Errorf("no TLS mode %q, there are: %s, %s, %s", s.TLS.Mode, NoTLS, StartTLS, ImplicitTLS)
	}
	return nil
}

// prepare takes a connection from its greeting to where a user can log in. A probe asks
// for capabilities also where a login needs none.
func (c *Conn) prepare(probe bool) (err error) {
	if c.server.TLS.Mode == ImplicitTLS {
		if err := c.startHandshake(); err != nil {
			return err
		}
	}
	err = c.timed("greeting", func() (err error) {
		c.caps, err = c.dialect.greet(c)
		return err
	})
	if err != nil {
		return noGreeting{err}
	}
	if probe || !c.caps.complete && c.needsCapabilities() {
		if err := c.askCapabilities(); err != nil {
			return err
		}
	}
	if c.server.TLS.Mode == ImplicitTLS {
		return nil
	}
	c.inClear = c.caps
	if c.server.TLS.Mode == StartTLS {
		return c.upgrade()
	}
	return nil
}

// needsCapabilities reports whether a login must know what the server offers. auth.php
// did not ask, and there may be servers that do not tell: one that is to be asked as
// auth.php did is not. LOGIN is forbidden to those who have not looked (RFC 3501
// section 6.2.3).
func (c *Conn) needsCapabilities() bool {
	s := c.server
	return s.Protocol == "smtp" || s.encrypted() || s.auto() || s.Protocol == "imap" && slices.Contains(s.Mechanisms, imapLogin)
}

func (c *Conn) askCapabilities() error {
	return c.timed("capabilities", func() (err error) {
		c.caps, err = c.dialect.ask(c)
		return err
	})
}

// upgrade goes on by TLS, or not at all. What the server said before TLS could have
// been said by anybody: it is forgotten, and what is still to be read is an attack
// (RFC 3207 section 4.2 and 6; CVE-2011-0411).
func (c *Conn) upgrade() error {
	if !c.caps.startTLS && !c.caps.asked {
		if err := c.askCapabilities(); err != nil {
			return err
		}
		c.inClear = c.caps
	}
	if !c.caps.startTLS {
		return errors.New("STARTTLS not offered: the password stays here")
	}
	if err := c.timed("starttls", func() error { return c.dialect.startTLS(c) }); err != nil {
		return err
	}
	if c.pending() {
		return errors.New("STARTTLS: server spoke in clear after its go-ahead")
	}
	c.caps = capabilities{}
	if err := c.startHandshake(); err != nil {
		return err
	}
	return c.askCapabilities()
}

// took notes how long a step was, for a report.
func (c *Conn) took(step string, start time.Time) {
	c.report.Steps = append(c.report.Steps, Step{step, time.Since(start)})
}

func (c *Conn) timed(step string, do func() error) error {
	defer c.took(step, time.Now())
	return do()
}
