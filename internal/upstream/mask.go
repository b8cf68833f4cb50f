package upstream

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
)

// hide adds secrets that are hidden in the trace, replies and errors from now on.
func (c *Conn) hide(secrets ...string) {
	c.secrets = append(c.secrets, secrets...)
	c.mask = nil
}

// hideLogin hides the password in each form that a server may send: as it is, as IMAP quotes
// it, and in base64, alone as in LOGIN and in the message of PLAIN. It does so whatever the
// mechanism is, because a server may know the password by itself.
func (c *Conn) hideLogin(user, password string) {
	if password == "" {
		return
	}
	c.hide(password, quote(password))
	c.hideBase64([]byte(password))
	c.hideBase64(plainMessage(user, password))
}

// hideBase64 hides the base64 of a message, with and without padding.
func (c *Conn) hideBase64(message []byte) {
	c.hide(base64.StdEncoding.EncodeToString(message), base64.RawStdEncoding.EncodeToString(message))
}

// masked returns a line with "***" for each secret. If several secrets begin at the same byte,
// the longest is replaced, so that no part of it is left.
func (c *Conn) masked(line string) string {
	if c.mask == nil {
		slices.SortFunc(c.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		var pairs []string
		for _, s := range c.secrets {
			if s != "" {
				pairs = append(pairs, s, "***")
			}
		}
		c.mask = strings.NewReplacer(pairs...)
	}
	return c.mask.Replace(line)
}
