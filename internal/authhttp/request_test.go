package authhttp

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// marker is in the place of a secret. No error may contain it.
const marker = "s3cretmarker"

// headers makes a header from names and values, as net/http does when it reads a request.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// with changes the headers of an ordinary login. The value "-" removes a header.
func with(pairs ...string) http.Header {
	h := headers(
		"Auth-Method", "plain", "Auth-User", "bob@domain1.com", "Auth-Pass", marker,
		"Auth-Protocol", "imap", "Auth-Login-Attempt", "1", "Client-IP", "192.0.2.42")
	for i := 0; i < len(pairs); i += 2 {
		h.Del(pairs[i])
		if pairs[i+1] != "-" {
			h.Set(pairs[i], pairs[i+1])
		}
	}
	return h
}

func TestReadRequest(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   http.Header
		want Request
	}{
		{"every header", headers(
			"Auth-Method", "plain", "Auth-User", "bob%20b@domain1.com", "Auth-Pass", "100%25%20p\xe4ss+",
			"Auth-Salt", "<1%20.2@host>", "Auth-Protocol", "smtp", "Auth-Login-Attempt", "2",
			"Client-IP", "2001:db8::1", "Client-Host", "[UNAVAILABLE]",
			"Proxy-Protocol-Addr", "198.51.100.7", "Proxy-Protocol-Port", "4711",
			"Proxy-Protocol-Server-Addr", "198.51.100.1", "Proxy-Protocol-Server-Port", "993",
			"Auth-SMTP-Helo", "client%20.example", "Auth-SMTP-From", "MAIL FROM:<> SIZE=1",
			"Auth-SMTP-To", "RCPT TO:<a@b> ORCPT=rfc822;a+2B@b",
			"Auth-SSL", "on", "Auth-SSL-Protocol", "TLSv1.3", "Auth-SSL-Cipher", "TLS_AES_256_GCM_SHA384",
			"Auth-SSL-Verify", "FAILED:certificate has expired", "Auth-SSL-Subject", "CN=bob%20,O=Example",
			"Auth-SSL-Issuer", "CN=Example CA", "Auth-SSL-Serial", "0A1B", "Auth-SSL-Fingerprint", "da39a3ee5e6b4b0d",
			"Auth-SSL-Cert", "-----BEGIN%20CERTIFICATE-----%0AMIIB+g==%0A", "X-Auth-Key", "shared"),
			Request{
				Method: Plain, User: "bob b@domain1.com", Password: "100% p\xe4ss+", Salt: "<1%20.2@host>",
				Protocol: SMTP, Attempt: 2, ClientIP: "2001:db8::1", ClientHost: "[UNAVAILABLE]", ProxyAddr: "198.51.100.7",
				Helo: "client%20.example", From: "MAIL FROM:<> SIZE=1", To: "RCPT TO:<a@b> ORCPT=rfc822;a+2B@b", SSL: "on",
				Cert: Certificate{
					Verify: "FAILED:certificate has expired", Subject: "CN=bob%20,O=Example", Issuer: "CN=Example CA",
					Serial: "0A1B", Fingerprint: "da39a3ee5e6b4b0d", PEM: "-----BEGIN CERTIFICATE-----\nMIIB+g==\n",
				},
			}},
		{"only what nginx always sends", headers(
			"Auth-Method", "plain", "Auth-User", "bob", "Auth-Pass", "p", "Auth-Protocol", "pop3",
			"Auth-Login-Attempt", "1", "Client-IP", "192.0.2.42"),
			Request{Method: Plain, User: "bob", Password: "p", Protocol: POP3, Attempt: 1, ClientIP: "192.0.2.42"}},
		{"APOP", headers("Auth-Method", "apop", "Auth-User", "bob", "Auth-Pass", "c4c9334bac560ecc979e58001b3e22fb",
			"Auth-Salt", "<1896.697170952@dbc.mtview.ca.us>", "Auth-Protocol", "pop3"),
			Request{Method: APOP, User: "bob", Password: "c4c9334bac560ecc979e58001b3e22fb",
				Salt: "<1896.697170952@dbc.mtview.ca.us>", Protocol: POP3}},
		{"CRAM-MD5", headers("Auth-Method", "cram-md5", "Auth-User", "tim", "Auth-Pass", "b913a602c7eda7a495b4e6e7334d3890",
			"Auth-Salt", "<1896.697170952@postoffice.reston.mci.net>", "Auth-Protocol", "imap"),
			Request{Method: CRAMMD5, User: "tim", Password: "b913a602c7eda7a495b4e6e7334d3890",
				Salt: "<1896.697170952@postoffice.reston.mci.net>", Protocol: IMAP}},
		{"certificate", headers("Auth-Method", "external", "Auth-User", "bob", "Auth-Protocol", "imap", "Auth-SSL-Verify", "SUCCESS"),
			Request{Method: External, User: "bob", Protocol: IMAP, Cert: Certificate{Verify: "SUCCESS"}}},
		{"XOAUTH2 of freenginx", headers("Auth-Method", "xoauth2", "Auth-User", "bob", "Auth-Protocol", "imap"),
			Request{Method: XOAuth2, User: "bob", Protocol: IMAP}},
		{"OAUTHBEARER of freenginx", headers("Auth-Method", "oauthbearer", "Auth-User", "bob", "Auth-Protocol", "imap"),
			Request{Method: OAuthBearer, User: "bob", Protocol: IMAP}},
		{"none, with stale credentials", headers("Auth-Method", "none", "Auth-User", "stale", "Auth-Pass", marker,
			"Auth-Protocol", "smtp", "Auth-SMTP-Helo", "h", "Auth-SMTP-From", "MAIL FROM:<a@b>", "Auth-SMTP-To", "RCPT TO:<c@d>"),
			Request{Method: None, Protocol: SMTP, Helo: "h", From: "MAIL FROM:<a@b>", To: "RCPT TO:<c@d>"}},
		{"none, with stale credentials that would be refused", headers("Auth-Method", "none", "Auth-User", "a%00b",
			"Auth-Pass", strings.Repeat("x", MaxPassword+1), "Auth-Protocol", "smtp"),
			Request{Method: None, Protocol: SMTP}},
		{"missing user and password are empty", headers("Auth-Method", "plain", "Auth-Protocol", "imap"),
			Request{Method: Plain, Protocol: IMAP}},
		{"attempt that is not a number", headers("Auth-Method", "plain", "Auth-Protocol", "imap", "Auth-Login-Attempt", "x"),
			Request{Method: Plain, Protocol: IMAP}},
		{"invalid escapes", headers("Auth-Method", "plain", "Auth-User", "%zz%", "Auth-Pass", "%4", "Auth-Protocol", "imap"),
			Request{Method: Plain, User: "%zz%", Password: "%4", Protocol: IMAP}},
		{"a header of a proxy twice", headers("Auth-Method", "plain", "Auth-Protocol", "imap", "Via", "1.1 a", "Via", "1.1 b"),
			Request{Method: Plain, Protocol: IMAP}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadRequest(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got\n%+v, want\n%+v", got, tt.want)
			}
		})
	}
}

func TestReadRequestRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   http.Header
		want string // the error
	}{
		{"no headers", http.Header{}, "no Auth-Method header"},
		{"no method", with("Auth-Method", "-"), "no Auth-Method header"},
		{"empty method", with("Auth-Method", ""), "no Auth-Method header"},
		{"unknown method", with("Auth-Method", marker), "unknown Auth-Method"},
		{"method in another case", with("Auth-Method", "PLAIN"), "unknown Auth-Method"},
		{"no protocol", with("Auth-Protocol", "-"), "no Auth-Protocol header"},
		{"unknown protocol", with("Auth-Protocol", marker), "unknown Auth-Protocol"},
		{"protocol in another case", with("Auth-Protocol", "IMAP"), "unknown Auth-Protocol"},
		{"none without a protocol", with("Auth-Method", "none", "Auth-Protocol", "-"), "no Auth-Protocol header"},

		{"user with NUL", with("Auth-User", marker+"%00"), "user name holds a NUL"},
		{"user with CR", with("Auth-User", "%0d"+marker), "user name holds a CR"},
		{"user with LF", with("Auth-User", marker+"%0Ax"), "user name holds a LF"},
		{"user with a raw LF", with("Auth-User", marker+"\nx"), "user name holds a LF"},
		{"password with NUL", with("Auth-Pass", marker+"%00"), "password holds a NUL"},
		{"password with CR", with("Auth-Pass", marker+"%0D%0A"), "password holds a CR"},
		{"password with LF", with("Auth-Pass", "%0a"+marker), "password holds a LF"},
		{"apop with NUL", with("Auth-Method", "apop", "Auth-Pass", marker+"%00"), "password holds a NUL"},

		{"user of 64 KiB", with("Auth-User", strings.Repeat(marker, 64<<10/len(marker)+1)), "user name longer than 512 bytes"},
		{"user of 64 KiB, escaped", with("Auth-User", strings.Repeat("%20", 64<<10)), "user name longer than 512 bytes"},
		{"password of 64 KiB", with("Auth-Pass", strings.Repeat(marker, 64<<10/len(marker)+1)), "password longer than 1024 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadRequest(tt.in)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestReadRequestRefusesRepeatedHeader(t *testing.T) {
	for _, name := range []string{
		"Auth-Method", "Auth-User", "Auth-Pass", "Auth-Salt", "Auth-Protocol", "Auth-Login-Attempt", "Client-Ip",
		"Proxy-Protocol-Addr", "Auth-Smtp-Helo", "Auth-Smtp-From", "Auth-Smtp-To", "Auth-Ssl", "Auth-Ssl-Verify", "Auth-Ssl-Cert",
	} {
		t.Run(name, func(t *testing.T) {
			for _, second := range []string{marker, "plain"} { // one differs from the first, one does not
				in := with()
				in[name] = []string{"plain", second}
				_, err := ReadRequest(in)
				if want := "header " + name + " more than once"; err == nil || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
			}
		})
	}
}

func TestReadRequestLimits(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		value        string
		want         string // the error, if any
	}{
		{"user at the limit", "Auth-User", strings.Repeat("a", 512), ""},
		{"user over the limit", "Auth-User", strings.Repeat("a", 513), "user name longer than 512 bytes"},
		{"escaped user at the limit", "Auth-User", strings.Repeat("%41", 512), ""},
		{"escaped user over the limit", "Auth-User", strings.Repeat("%41", 513), "user name longer than 512 bytes"},
		{"escaped user with one raw byte over the limit", "Auth-User", strings.Repeat("%41", 512) + "a", "user name longer than 512 bytes"},
		{"escaped user with an invalid last escape", "Auth-User", strings.Repeat("%41", 511) + "%", ""},
		{"password at the limit", "Auth-Pass", strings.Repeat("a", 1024), ""},
		{"password over the limit", "Auth-Pass", strings.Repeat("a", 1025), "password longer than 1024 bytes"},
		{"escaped password at the limit", "Auth-Pass", strings.Repeat("%C3%A4", 512), ""},
		{"escaped password over the limit", "Auth-Pass", strings.Repeat("%C3%A4", 512) + "%41", "password longer than 1024 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ReadRequest(with(tt.header, tt.value))
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || err.Error() != tt.want):
				t.Errorf("error %v, want %s", err, tt.want)
			case tt.want == "" && r.User != Unescape(tt.value) && r.Password != Unescape(tt.value):
				t.Errorf("user %q, password %q: want %q unescaped", r.User, r.Password, tt.value)
			}
		})
	}
}

// TestReadRequestWithError tests that a refused request is returned for the log.
func TestReadRequestWithError(t *testing.T) {
	r, err := ReadRequest(with("Auth-User", "bob%0d", "Auth-Salt", "<1@h>"))
	want := Request{Method: Plain, User: "bob\r", Password: marker, Salt: "<1@h>", Protocol: IMAP, Attempt: 1, ClientIP: "192.0.2.42"}
	if err == nil || !reflect.DeepEqual(r, want) {
		t.Errorf("error %v, request\n%+v, want\n%+v", err, r, want)
	}
}
