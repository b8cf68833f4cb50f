package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCheckOnline checks that mailauthd check -online prints what a server offers and when its certificate expires,
// also for a certificate that is not trusted. Then the command fails.
func TestCheckOnline(t *testing.T) {
	t.Parallel()
	d := startTLSDovecot(t, []account{bob})
	s := newSite(t, tempDir(t))
	for _, tt := range []struct {
		name   string
		ca     authority
		status int
		result string
	}{
		{"known authority", d.ca, 0, "OK"},
		{"other authority", s.ca, 1, "certificate signed by unknown authority"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := prepareMailauthd(t, s, d.serverTOML(tt.ca)+domainTOML("domain1.com", "upstream"))
			check := runClient(t, "", binary, "check", asSelf(), "-online", "-config", m.config)
			if check.status != tt.status {
				t.Errorf("exit status %d, want %d: %s%s", check.status, tt.status, check.output, check.trace)
			}
			for protocol, offers := range d.offers {
				line := lineOf(check.output, "dovecot1", protocol)
				want := []string{d.certs["good"].NotAfter.Format(time.DateOnly), tt.result}
				if tt.status == 0 { // nothing is sent to a server that is not trusted
					want = slices.Concat(want, offers)
				}
				for _, part := range want {
					if !strings.Contains(line, part) {
						t.Errorf("%s: no %q in %q; all:\n%s", protocol, part, line, check.output)
					}
				}
			}
		})
	}
}

func (d *tlsDovecot) serverTOML(ca authority) string {
	return fmt.Sprintf("\n[servers.dovecot1]\nhost = \"127.0.0.1\"\npop3 = %d\nimap = %d\nsmtp = %d\n"+
		"[servers.dovecot1.verify]\ntls = \"starttls\"\nca_file = %q\nmechanisms = [\"auto\"]\n",
		d.ports["pop3"][0], d.ports["imap"][0], d.ports["smtp"][0], ca.file)
}

// lineOf returns the line of a table that begins with these fields.
func lineOf(table string, first ...string) string {
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) >= len(first) && slices.Equal(fields[:len(first)], first) {
			return line
		}
	}
	return ""
}
