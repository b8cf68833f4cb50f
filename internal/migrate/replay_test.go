package migrate

import "testing"

const routerConfig = `
[listen]
http = ["127.0.0.1:1"]
[auth]
methods = ["plain", "cram-md5", "external"]
recipient_delimiter = "+"
[servers.a]
host = "192.0.2.1"
[servers.six]
host = "2001:db8::1"
imap = 1143
[servers.named]
host = "mail.example.com"
[domains."domain1.com"]
servers = ["a", "six"]
[domains."*.pattern.example"]
servers = ["six"]
[domains."named.example"]
servers = ["named"]
[domains."users.example"]
servers = ["a"]
verify = "users"
[domains."closed.example"]
servers = ["a"]
nologin = true
[users."bob@users.example"]
password = "{PLAIN}sample-bob"
servers = ["six", "a"]
aliases = ["robert@users.example"]
protocols = ["imap"]
[users."chief@users.example"]
password = "{PLAIN}sample-chief"
master = true
`

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		user, method, protocol, server, port string
		want                                 Kind
		set                                  string
		notCompared                          bool
	}{
		{user: "x@domain1.com", server: "192.0.2.1", port: "143"},
		{user: "X@Domain1.COM", server: "192.0.2.1", port: "143"},
		{user: "x@domain1.com", server: "::ffff:192.0.2.1", port: "143"},
		{user: "x@domain1.com", server: "192.0.2.1"},
		{user: "x@domain1.com"},
		{user: "x@domain1.com", server: "192.0.2.1", port: "993", want: OtherServer, set: `set servers in [domains."domain1.com"], or host and port of [servers.a]`},
		{user: "x@domain1.com", server: "2001:db8::1", port: "1143", want: OtherServer, set: `set servers in [domains."domain1.com"], or host and port of [servers.a]`},
		{user: "x@domain1.com", server: "mail.domain1.com", port: "143", want: OtherServer, set: `set servers in [domains."domain1.com"], or host and port of [servers.a]`},
		{user: "x@a.pattern.example", server: "2001:DB8:0::1", port: "1143"},
		{user: "x@named.example", server: "192.0.2.1", port: "143", notCompared: true},
		{user: "x@named.example", server: "mail.example.com", port: "143"},
		{user: "x@pattern.example", want: UnknownDomain, set: `add [domains."pattern.example"]`},
		{user: "x@evilpattern.example", want: LookAlike, set: `only if the domain is yours, add [domains."evilpattern.example"]`},
		{user: "x@a.evildomain1.com", want: LookAlike, set: `only if the domain is yours, add [domains."a.evildomain1.com"]`},
		{user: "x@a.b.domain1.com", want: Subdomain, set: `add [domains."*.domain1.com"]`},
		{user: "x@com", want: UnknownDomain, set: `add [domains."com"]`},
		{user: "x", want: NoDomain, set: "set [auth] default_domain"},
		{user: "x@", want: Refused},
		{user: "@domain1.com", want: Refused},
		{user: "x@dom ain1.com", want: Refused},
		{user: "x\n@domain1.com", want: Refused},
		{user: "x@domain1.com", method: "apop", want: MethodOff, set: `add "apop" to [auth] methods`},
		{user: "x@domain1.com", method: "xoauth2", want: Refused},
		{user: "x@domain1.com", method: "cram-md5", want: CannotUse, set: giveCleartext},
		{user: "", method: "external"},
		{user: "x@users.example", want: NoEntry, set: `"mailauthd user add USER", or verify = "upstream" in [domains."users.example"]`},
		{user: "robert+news@users.example", method: "cram-md5", server: "2001:db8::1", port: "1143"},
		{user: "bob@users.example*chief@users.example", server: "2001:db8::1", port: "1143"},
		{user: "bob@users.example", server: "192.0.2.1", port: "143", want: OtherServer, set: `set servers in [users."bob@users.example"], or host and port of [servers.six]`},
		{user: "bob@users.example", protocol: "smtp", want: Rules, set: `add "smtp" to protocols`},
		{user: "x@closed.example", want: Rules, set: "remove nologin"},
	} {
		l := login{tt.user, tt.method, tt.protocol, tt.server, tt.port}
		if l.method == "" {
			l.method = "plain"
		}
		if l.protocol == "" {
			l.protocol = "imap"
		}
		f, notCompared := newRouter(load(t, routerConfig)).find(&l)
		if f.kind != tt.want || f.set != tt.set || notCompared != tt.notCompared {
			t.Errorf("%+v: %q, %q, %q, not compared: %t; want %q, %q, %t", l, f.kind, f.what, f.set, notCompared, tt.want, tt.set, tt.notCompared)
		}
	}
}
