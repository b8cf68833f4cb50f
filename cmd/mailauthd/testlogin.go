package main

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// load reads the configuration and resolves the servers' names. It prints warnings, also for names
// without an address.
func (c *call) load(path string) (*config.Config, *route.Resolver, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, nil, withHint(err)
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(c.stderr, "warning:", w)
	}
	resolver := route.NewResolver(nil)
	for _, err := range resolver.Watch(context.Background(), cfg.Names()) {
		fmt.Fprintln(c.stderr, "warning:", err)
	}
	return cfg, resolver, nil
}

func withHint(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (use -config FILE for another file)", err)
	}
	return err
}

// testLogin decides one login by the same code as serve, as doveadm auth test does.
func testLogin(c *call) error {
	flags := c.newFlags()
	path := c.configFlag()
	protocol := flags.String("protocol", "imap", "the client's protocol: imap, pop3 or smtp")
	method := flags.String("method", "plain", "how the client authenticates: nginx's Auth-Method")
	clientIP := flags.String("client-ip", "127.0.0.1", "the client's `address`")
	if err := c.parse(1); err != nil {
		return err
	}
	if !slices.Contains([]string{"imap", "pop3", "smtp"}, *protocol) {
		return usageError("-protocol: want imap, pop3 or smtp")
	}
	cfg, resolver, err := c.load(*path)
	if err != nil {
		return err
	}
	password, err := c.readPassword("Password: ")
	if err != nil {
		return err
	}
	a := auth.New(cfg.Config, resolver)
	a.Trace = func(format string, args ...any) {
		fmt.Fprintln(c.stdout, authlog.Escape(strings.TrimSpace(fmt.Sprintf(format, args...))))
	}
	response, _ := a.Answer(context.Background(), http.Header{
		"Auth-Method":        {*method},
		"Auth-User":          {escape(flags.Arg(0))},
		"Auth-Pass":          {escape(proof(*method, password))},
		"Auth-Salt":          {challenge},
		"Auth-Protocol":      {*protocol},
		"Auth-Login-Attempt": {"1"},
		"Client-Ip":          {*clientIP},
	})
	c.printHeaders(&response)
	if response.Outcome != authhttp.OK {
		return errNo
	}
	return nil
}

// challenge is one as nginx makes them for APOP and CRAM-MD5.
const challenge = "<1.1@test-login>"

// proof is what nginx sends as Auth-Pass when a client knows the password.
func proof(method, password string) string {
	switch authhttp.Method(method) {
	case authhttp.CRAMMD5:
		_, digest, _ := strings.Cut(upstream.CRAMMD5("", password, []byte(challenge)), " ")
		return digest
	case authhttp.APOP:
		return fmt.Sprintf("%x", md5.Sum([]byte(challenge+password)))
	}
	return password
}

// escape escapes a value as nginx does, as far as needed to decode to what was typed.
func escape(s string) string { return strings.ReplaceAll(s, "%", "%25") }

// printHeaders prints the headers that nginx would get, with a password masked.
func (c *call) printHeaders(r *authhttp.Response) {
	h := make(http.Header)
	r.WriteHeader(h)
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintln(c.stdout)
	for _, name := range names {
		value := h.Get(name)
		if name == "Auth-Pass" {
			value = "***"
		}
		fmt.Fprintf(c.stdout, "%s: %s\n", name, authlog.Escape(value))
	}
}
