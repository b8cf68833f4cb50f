package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/route"
)

// load reads the configuration and resolves the servers' names. It prints warnings, also for names
// without an address.
func (c *call) load(path string) (*config.Source, *route.Resolver, error) {
	cfg, err := config.Open(path)
	if err != nil {
		return nil, nil, withHint(err)
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(c.stderr, "warning:", w)
	}
	resolver := route.NewResolver(nil)
	for _, err := range resolver.Watch(context.Background(), cfg.Config.Names()) {
		fmt.Fprintln(c.stderr, "warning:", cfg.NotResolved(err))
	}
	return cfg, resolver, nil
}

func withHint(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (use -config FILE for another file)", err)
	}
	return err
}

// asked is the login that test-login tries, and how.
type asked struct {
	protocol, method, clientIP string
	via                        string // the URL to ask; empty: this process decides
	more                       []headerLine
}

// testLogin decides one login by the same code as serve, as doveadm auth test does, or asks as nginx does who decides
// it at a URL.
func testLogin(c *call) error {
	flags := c.newFlags()
	path := c.configFlag()
	var a asked
	flags.StringVar(&a.protocol, "protocol", "imap", "the client's protocol: imap, pop3 or smtp")
	flags.StringVar(&a.method, "method", "plain", "how the client authenticates: nginx's Auth-Method")
	flags.StringVar(&a.clientIP, "client-ip", "127.0.0.1", "the client's `address`")
	flags.StringVar(&a.via, "via", "", "ask as nginx does: `URL` is nginx's auth_http, unix:/PATH or fcgi://HOST:PORT")
	flags.Func("header", "send this `header` too, such as \"Auth-SSL: on\"; may be repeated", a.addHeader)
	if err := c.parse(1); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	if a.via != "" {
		return c.testVia(&a, *path)
	}
	cfg, resolver, err := c.load(*path)
	if err != nil {
		return err
	}
	password, err := c.readPassword("Password: ")
	if err != nil {
		return err
	}
	response := c.decide(auth.New(cfg.Config.Config, resolver), a.request(flags.Arg(0), password))
	c.printNotes(cfg.Config, &a)
	if response.Outcome != authhttp.OK {
		return errNo
	}
	return nil
}

// decide decides a request, and prints the steps and the answer.
func (c *call) decide(by *auth.Authenticator, request []headerLine) authhttp.Response {
	by.Trace = func(format string, args ...any) {
		fmt.Fprintln(c.stdout, authlog.Escape(strings.TrimSpace(fmt.Sprintf(format, args...))))
	}
	h := make(http.Header)
	for _, line := range request {
		h.Add(line.name, line.value)
	}
	response, _ := by.Answer(context.Background(), h)
	answer := make(http.Header)
	response.WriteHeader(answer)
	fmt.Fprintln(c.stdout)
	c.printHeaders(answer)
	return response
}

// printNotes prints what the running mailauthd knows of the login, if it can be asked.
func (c *call) printNotes(cfg *config.Config, a *asked) {
	for i, note := range c.askNotes(cfg, c.flags.Arg(0), a.clientIP, a.protocol) {
		if i == 0 {
			fmt.Fprintln(c.stdout)
		}
		fmt.Fprintln(c.stdout, "running mailauthd:", authlog.Escape(note))
	}
}

// askNotes returns what the running mailauthd knows beyond the configuration of logins by any of the protocols, or that
// none runs.
func (c *call) askNotes(cfg *config.Config, user, clientIP string, protocols ...string) (notes []string) {
	if len(cfg.Listen.Admin) == 0 {
		return nil
	}
	var dial *net.OpError
	for _, protocol := range protocols {
		query := url.Values{"user": {user}, "client_ip": {clientIP}, "protocol": {protocol}}
		answer, err := askAdmin(cfg.Listen.Admin[0].Name, http.MethodGet, "/login?"+query.Encode())
		switch {
		case errors.Is(err, fs.ErrPermission):
			return []string{"not asked, because only root and its own user may: run this command as root"}
		case errors.As(err, &dial) && dial.Op == "dial":
			return []string{"does not run, so no user can log in: " + err.Error()}
		case err != nil: // such as an older version, which has no notes
			return []string{"cannot be asked: " + err.Error()}
		}
		for note := range strings.Lines(answer) {
			if note = strings.TrimSpace(note); !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	if len(notes) == 0 {
		notes = []string{"nothing is throttled, set aside or remembered for this login"}
	}
	return notes
}

// printHeaders prints the headers that nginx gets, with a password masked.
func (c *call) printHeaders(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if name == "Auth-Pass" {
				value = "***"
			}
			fmt.Fprintf(c.stdout, "%s: %s\n", name, authlog.Escape(value))
		}
	}
}
