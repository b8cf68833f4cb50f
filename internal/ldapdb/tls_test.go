package ldapdb

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestTransports(t *testing.T) {
	s := theSlapd(t)
	byName := strings.Replace(s.plain, "127.0.0.1", "localhost", 1)
	tests := []struct {
		name, uri string
		startTLS  bool
		tls       bool
	}{
		{"ldap", s.plain, false, false},
		{"ldapi", s.socket, false, false},
		{"ldaps", s.tls, false, true},
		{"starttls", byName, true, true},
		{"starttls by address", s.plain, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := s.bindConfig()
			c.URIs, c.StartTLS, c.CAs = []string{test.uri}, test.startTLS, s.cas
			d := newDB(t, c)
			if got, err := bind(t, d, "alice@example.com", "alice-secret"); got != Accepted || err != nil {
				t.Error(got, err)
			}
			ends := d.Stats().NotAfter // seen by the bind
			r := d.Probe(context.Background())[0]
			if r.Err != nil || (r.TLS == "TLS 1.3") != test.tls || r.NotAfter.After(time.Now()) != test.tls {
				t.Errorf("probe: %+v", r)
			}
			if !ends.Equal(r.NotAfter) || ends.IsZero() == test.tls {
				t.Errorf("certificate until %v, want %v", ends, r.NotAfter)
			}
		})
	}
}

// A server without the right certificate gets no password.
func TestCertificates(t *testing.T) {
	good := theSlapd(t)
	a := newCA(t, "the CA")
	expired := newSlapd(t, t.TempDir(), a, -time.Hour)
	t.Cleanup(expired.stop)
	tests := []struct {
		name, uri string
		ca        ca
		want      string
	}{
		{"other CA", good.tls, a, "certificate signed by unknown authority"},
		{"other CA, starttls", good.plain, a, "certificate signed by unknown authority"},
		{"expired", expired.tls, a, "expired"},
		{"expired, starttls", expired.plain, a, "expired"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := good.bindConfig()
			c.URIs, c.CAs = []string{test.uri}, test.ca.pool()
			c.StartTLS = strings.HasPrefix(test.uri, "ldap:")
			d := newDB(t, c)
			if got, err := bind(t, d, "alice@example.com", "alice-secret"); got != Undecided || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v: want an error with %q", got, err, test.want)
			}
			if r := d.Probe(context.Background())[0]; r.Err == nil || !strings.Contains(r.Err.Error(), test.want) {
				t.Errorf("probe: %+v", r)
			}
		})
	}
	if lines := expired.logged(t, "BIND"); len(lines) > 0 {
		t.Errorf("a password was sent: %s", lines)
	}
}

// A certificate for another name is refused, even if the CA is known.
func TestCertificateName(t *testing.T) {
	s := theSlapd(t)
	c := s.bindConfig()
	c.CAs = s.cas
	c.URIs = []string{strings.Replace(s.tls, "localhost", "ip6-localhost", 1)}
	d := newDB(t, c)
	d.targets[0].address = strings.TrimPrefix(s.tls, "ldaps://")
	_, err := d.Find(context.Background(), "alice@example.com")
	if err == nil || !strings.Contains(err.Error(), "valid for localhost, not ip6-localhost") {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	s := theSlapd(t)
	c := s.config()
	c.URIs = []string{"ldap://127.0.0.1:1", s.plain}
	c.Filter = "(&(objectClass=*)(|(mail=%{user})(mial=%{user})(mailHost=x)(cn:caseExactMatch:=x)(!(uid>=9))))"
	c.Fields = map[string]string{"password": "userPassword", "host": "mailHost", "user": "rfc822Mailbox", "reason": "2.5.4.3"}
	r := newDB(t, c).Probe(context.Background())
	if len(r) != 2 || r[0].Err == nil || r[1].Err != nil || strings.Join(r[1].Unknown, " ") != "mial mailHost" {
		t.Errorf("%+v", r)
	}
	for what, change := range map[string]func(*Config){
		`base "ou=nowhere,dc=example": no such entry`: func(c *Config) { c.Base = "ou=nowhere,dc=example" },
		"bind as auth_dn: result code 49":             func(c *Config) { c.AuthPassword = "wrong" },
	} {
		c := s.config()
		change(&c)
		if r := newDB(t, c).Probe(context.Background())[0]; r.Err == nil || !strings.Contains(r.Err.Error(), what) {
			t.Errorf("%+v: want an error with %q", r, what)
		}
	}
}
