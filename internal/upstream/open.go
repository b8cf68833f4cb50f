package upstream

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Validate returns an error if the settings of s make every login fail.
func (s Server) Validate() error {
	if err := s.validateProtocol(); err != nil {
		return err
	}
	list, err := s.configured()
	if err == nil {
		_, err = s.permitted(list)
	}
	return err
}

func (s Server) validateProtocol() error {
	if dialects[s.Protocol] == nil {
		return fmt.Errorf("unknown protocol %q, want one of imap, pop3, smtp", s.Protocol)
	}
	if !slices.Contains([]string{"", NoTLS, StartTLS, ImplicitTLS}, s.TLS.Mode) {
		return fmt.Errorf("unknown TLS mode %q, want one of %s, %s, %s", s.TLS.Mode, NoTLS, StartTLS, ImplicitTLS)
	}
	return nil
}

// prepare reads the greeting and does everything else before a login. A probe asks for the
// capabilities even if a login does not need them.
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

// needsCapabilities reports whether a login must know what the server offers. With the settings
// of auth.php it does not, because auth.php did not ask, and some servers may not tell. A client
// must not send LOGIN before it has seen the capabilities (RFC 3501 section 6.2.3).
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

// upgrade starts TLS, or fails. An attacker could have sent what came before TLS, so the
// capabilities are discarded. Data after the server's go-ahead is an attack (RFC 3207 sections
// 4.2 and 6; CVE-2011-0411).
func (c *Conn) upgrade() error {
	if !c.caps.startTLS && !c.caps.asked {
		if err := c.askCapabilities(); err != nil {
			return err
		}
		c.inClear = c.caps
	}
	if !c.caps.startTLS {
		return errors.New("STARTTLS not offered: nothing of the login was sent")
	}
	if err := c.timed("starttls", func() error { return c.dialect.startTLS(c) }); err != nil {
		return err
	}
	if c.pending() {
		return errors.New("STARTTLS: server sent unencrypted data after its go-ahead")
	}
	c.caps = capabilities{}
	if err := c.startHandshake(); err != nil {
		return err
	}
	return c.askCapabilities()
}

// took adds a step to the report.
func (c *Conn) took(step string, start time.Time) {
	c.report.Steps = append(c.report.Steps, Step{step, time.Since(start)})
}

func (c *Conn) timed(step string, do func() error) error {
	defer c.took(step, time.Now())
	return do()
}
