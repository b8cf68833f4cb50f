package mailaddr

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRecipient(t *testing.T) {
	long := strings.Repeat("a", 100)
	for _, tt := range []struct{ in, want string }{
		{"RCPT TO:<bob@ours.example>", "bob@ours.example"},
		{"rcpt to:<bob@ours.example>", "bob@ours.example"},
		{"Rcpt To:<Bob@Ours.Example>", "Bob@Ours.Example"},
		{"RCPT TO: <bob@ours.example>", "bob@ours.example"},
		{"RCPT TO :<bob@ours.example>", "bob@ours.example"},
		{"RCPT   TO  :   <bob@ours.example>  ", "bob@ours.example"},
		{"RCPT TO:<bob@ours.example> ORCPT=rfc822;bob@evil.example", "bob@ours.example"},
		{"RCPT TO:<bob@ours.example> NOTIFY=SUCCESS,FAILURE  ORCPT=rfc822;a+3Db@x", "bob@ours.example"},
		{"RCPT TO:<bob@ours.example> X-1 Y=", "bob@ours.example"},
		{"RCPT TO:bob@ours.example", "bob@ours.example"},
		{"RCPT TO: bob@ours.example NOTIFY=NEVER", "bob@ours.example"},
		{"RCPT TO:<bob+tag.x@ours.example>", "bob+tag.x@ours.example"},
		{"RCPT TO:<#$&'*+-/=?^_`{|}~@ours.example>", "#$&'*+-/=?^_`{|}~@ours.example"},
		{"RCPT TO:<bob@sub_1.ours-2.example>", "bob@sub_1.ours-2.example"},
		{"RCPT TO:<bob@localhost>", "bob@localhost"},
		{"RCPT TO:<jürgen@bücher.example>", "jürgen@bücher.example"},
		{"RCPT TO:<" + long + "@ours.example>", long + "@ours.example"}, // SRS makes such addresses

		{"RCPT TO:<postmaster>", "postmaster"},
		{"RCPT TO:<PostMaster>", "postmaster"},
		{"RCPT TO:<POSTMASTER> NOTIFY=NEVER", "postmaster"},
		{"RCPT TO:postmaster", "postmaster"},
		{"RCPT TO:<Postmaster@ours.example>", "Postmaster@ours.example"},

		{`RCPT TO:<"a b"@ours.example>`, "a b@ours.example"},
		{`RCPT TO:<"a  b"@ours.example> X=1`, "a  b@ours.example"},
		{`RCPT TO:<"bob"@ours.example>`, "bob@ours.example"},
		{`RCPT TO:<"a\"b\\c\d"@ours.example>`, `a"b\cd@ours.example`},
		{`RCPT TO:<"a..b."@ours.example>`, "a..b.@ours.example"},
		{`RCPT TO:<"a>b<c"@ours.example>`, "a>b<c@ours.example"},
		{`RCPT TO:<"ü"@ours.example>`, "ü@ours.example"},

		{"RCPT TO:<@evil.example:bob@ours.example>", "bob@ours.example"},
		{"RCPT TO:<@a.example,@b.example:bob@ours.example>", "bob@ours.example"},
		{`RCPT TO:<@a.example:"b c"@ours.example> X`, "b c@ours.example"},
		{"RCPT TO:<@ours.example:x@evil.example>", "x@evil.example"},
		{"RCPT TO:<@ours.example,@ours.example:x@evil.example>", "x@evil.example"},
	} {
		if got, err := Recipient(tt.in); err != nil || got != tt.want {
			t.Errorf("Recipient(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestRecipientRefuses(t *testing.T) {
	for _, in := range []string{
		"", "RCPT", "RCPT ", "RCPT TO", "RCPT TO:", "RCPT TO:<", "RCPT TO:<>", "RCPT TO:<@>", "RCPT TO: ",
		"MAIL FROM:<bob@ours.example>", "RCPT FROM:<bob@ours.example>", "RCPT <bob@ours.example>",
		"RCPTTO:<bob@ours.example>", " RCPT TO:<bob@ours.example>", "RCPT TOO:<bob@ours.example>",
		"RCPT TO <bob@ours.example>", "RCPT TO<x:<bob@ours.example>",

		// ours.example in the wrong place
		"RCPT TO:<a@ours.example>@evil.example",
		"RCPT TO:<a@evil.example>@ours.example",
		"RCPT TO:<a@evil.example@ours.example>",
		"RCPT TO:<a@ours.example@evil.example>",
		"RCPT TO:a@evil.example@ours.example",
		`RCPT TO:<"a@evil.example"@ours.example>`,
		`RCPT TO:<"a\@evil.example"@ours.example>`,
		"RCPT TO:<a%evil.example@ours.example>",
		`RCPT TO:<"a%evil.example"@ours.example>`,
		"RCPT TO:<evil.example!a@ours.example>",
		"RCPT TO:<a@evil.example%x.ours.example>",
		"RCPT TO:<a@evil.example!ours.example>",
		"RCPT TO:<a@evil.example> <b@ours.example>",
		"RCPT TO:<a@evil.example>,<b@ours.example>",
		"RCPT TO:<b@ours.example>,<a@evil.example>",
		"RCPT TO:<b@ours.example,a@evil.example>",
		"RCPT TO:<b@ours.example> a@evil.example",
		"RCPT TO:b@ours.example <a@evil.example>",
		"RCPT TO:a@evil.example b@ours.example",
		"RCPT TO:<<b@ours.example>>",
		"RCPT TO:Bob <b@ours.example>",
		"RCPT TO:<Bob <b@ours.example>>",
		"RCPT TO:<b@ours.example(a@evil.example)>",
		"RCPT TO:(a)<b@ours.example>",
		"RCPT TO:<b\\@ours.example>",
		"RCPT TO:<b@ours.example\\>",
		"RCPT TO:<b@ours.example\x00@evil.example>",
		"RCPT TO:<b@ours.example>\rRCPT TO:<a@evil.example>",
		"RCPT TO:<b@ours.example>\nRCPT TO:<a@evil.example>",
		"RCPT TO:<b@ours.example>\tx",
		"RCPT TO:<b@ours.example\u0085>",
		"RCPT TO:<b@ours.example\uff20evil.example>", // IDNA maps it to "@"

		// source routes
		"RCPT TO:<@ours.example>", "RCPT TO:<@ours.example:>", "RCPT TO:<:b@ours.example>",
		"RCPT TO:<@a.example,b.example:b@ours.example>", "RCPT TO:<@a.example,:b@ours.example>",
		"RCPT TO:<@a.example;@b.example:b@ours.example>", "RCPT TO:<@:b@ours.example>",
		"RCPT TO:<@[192.0.2.1]:b@ours.example>", "RCPT TO:<@a.example:@b.example:b@ours.example>",
		"RCPT TO:<@evil.example:postmaster>", "RCPT TO:@a.example:b@ours.example",

		// brackets and quotes
		"RCPT TO:<b@ours.example", "RCPT TO:b@ours.example>", "RCPT TO:< b@ours.example>", "RCPT TO:<b@ours.example >",
		"RCPT TO:<b @ours.example>", "RCPT TO:<b@ ours.example>", `RCPT TO:"a b"@ours.example`, `RCPT TO:<"ab@ours.example>`,
		`RCPT TO:<"a"b@ours.example>`, `RCPT TO:<"a".b@ours.example>`, `RCPT TO:<a"b"@ours.example>`, `RCPT TO:<""@ours.example>`,
		`RCPT TO:<"a\`, `RCPT TO:<"a\ü"@ours.example>`, `RCPT TO:<"postmaster">`, "RCPT TO:<postmaster@>", "RCPT TO:<postmaster2>",

		// addresses
		"RCPT TO:<bob>", "RCPT TO:bob", "RCPT TO:<bob@>", "RCPT TO:<.b@ours.example>", "RCPT TO:<b.@ours.example>",
		"RCPT TO:<a..b@ours.example>", "RCPT TO:<b@.ours.example>", "RCPT TO:<b@ours..example>", "RCPT TO:<b@ours.example.>",
		"RCPT TO:<b@\xff.example>", "RCPT TO:<\xff@ours.example>", "RCPT TO:<b@#123>", "RCPT TO:<b@*.example>",
		"RCPT TO:<" + strings.Repeat("a", MaxRecipient) + "@ours.example>",
		"RCPT TO:<b@ours.example> X=" + strings.Repeat("a", MaxCommand),
		"RCPT TO:<b@ours.example> =x", "RCPT TO:<b@ours.example> -x",
	} {
		if got, err := Recipient(in); err == nil || got != "" || errors.Is(err, ErrLiteral) {
			t.Errorf("Recipient(%q) = %q, %v; want an error", in, got, err)
		}
	}
}

func TestRecipientLiteral(t *testing.T) {
	for _, in := range []string{
		"RCPT TO:<bob@[192.0.2.1]>", "RCPT TO:<bob@[IPv6:2001:db8::1]> X=1", "RCPT TO:bob@[192.0.2.1]",
		"RCPT TO:<@a.example:bob@[192.0.2.1]>", `RCPT TO:<"a b"@[192.0.2.1]>`,
	} {
		if got, err := Recipient(in); !errors.Is(err, ErrLiteral) || got != "" {
			t.Errorf("Recipient(%q) = %q, %v; want ErrLiteral", in, got, err)
		}
	}
	for _, in := range []string{"RCPT TO:<bob@[192.0.2.1>", "RCPT TO:<bob@[>]", "RCPT TO:<bob@["} {
		if got, err := Recipient(in); err == nil || errors.Is(err, ErrLiteral) {
			t.Errorf("Recipient(%q) = %q, %v; want another error", in, got, err)
		}
	}
}

func FuzzRecipient(f *testing.F) {
	for _, in := range []string{
		"RCPT TO:<bob@ours.example> NOTIFY=NEVER", `rcpt to : <@a,@b:"a \" b"@dom>`, "RCPT TO:postmaster",
		"RCPT TO:<a@ours.example>@evil.example", "RCPT TO:<bob@[192.0.2.1]>", "RCPT TO:<\u00fc@b\u00fccher.example>",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, command string) {
		address, err := Recipient(command)
		if err != nil {
			if address != "" {
				t.Errorf("Recipient(%q) = %q with error %v", command, address, err)
			}
			return
		}
		if address == "postmaster" {
			return
		}
		local, domain := Split(address)
		if strings.ContainsAny(address, "\r\n\x00") || strings.Count(address, "@") != 1 || !utf8.ValidString(address) {
			t.Errorf("Recipient(%q) = %q", command, address)
		}
		if _, err := Domain(domain); err != nil || local == "" || strings.ContainsAny(domain, " <>@:,%![]") {
			t.Errorf("Recipient(%q) = %q: domain %v", command, address, err)
		}
		if !strings.Contains(command, "@"+domain) {
			t.Errorf("Recipient(%q) = %q: the domain is not in the command", command, address)
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"@` + domain
		if again, err := Recipient("RCPT TO:<" + quoted + ">"); err != nil || again != address {
			t.Errorf("Recipient(%q) = %q, but the same address in quotes gives %q, %v", command, address, again, err)
		}
		if again, err := Recipient("RCPT TO:<" + address + ">"); err == nil && again != address {
			t.Errorf("Recipient(%q) = %q, but the same address without quotes gives %q", command, address, again)
		}
	})
}
