package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// check loads the configuration and reports what is wrong with it, as nginx -t does.
func check(c *call) error {
	flags := c.newFlags()
	path := c.configFlag()
	user := flags.String("user", "", "look at files as this `user` can (default: \"mailauthd\", if there is such a user)")
	online := flags.Bool("online", false, "connect to every mail server and passdb and to Redis, and print what they offer")
	warnDays := flags.Int("warn-days", 0, "with -online: end with status 1 if a certificate ends within this many `days`")
	if err := c.parse(0); err != nil {
		return err
	}
	if *warnDays < 0 || *warnDays > 0 && !*online {
		return usageError("-warn-days wants a number of days, and -online")
	}
	cfg, resolver, err := c.load(*path)
	if err != nil {
		return err
	}
	if cfg.AccountErr != nil {
		return cfg.AccountErr
	}
	notes, err := c.lookAs(*user, cfg)
	if err == nil {
		fmt.Fprintf(c.stdout, "configuration OK: %d servers, %d domains, %d users\n",
			len(cfg.Servers), cfg.Domains.Len(), cfg.Users.Len())
	}
	for _, n := range notes {
		fmt.Fprintln(c.stdout, n)
	}
	if err != nil {
		return err
	}
	c.printCannotUse(cfg.Config)
	if *online {
		return c.checkOnline(cfg.Config, resolver, &ends{call: c, days: *warnDays})
	}
	return nil
}

// printCannotUse says how many users cannot use a method that is offered.
func (c *call) printCannotUse(cfg *config.Config) {
	for _, method := range []authhttp.Method{authhttp.CRAMMD5, authhttp.APOP} {
		if n := cfg.CannotUse[method]; n > 0 {
			fmt.Fprintf(c.stdout, "%s: %d of %d users with a password cannot use it, because only a hash of the password is known; their logins by %s are rejected\n",
				method, n, cfg.WithPassword, method)
		}
	}
}

// probe is what one server answered on one protocol.
type probe struct {
	server, protocol, addr string
	report                 upstream.Report
	err                    error
}

// maxProbes is the largest number of probes that run at a time.
const maxProbes = 16

// checkOnline probes every server on every protocol that passwords are checked on, and prints a
// table. It sends no password.
func (c *call) checkOnline(cfg *config.Config, resolver *route.Resolver, ends *ends) error {
	var list []*probe
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxProbes)
	for _, s := range cfg.Servers {
		protocols := []string{"imap", "pop3", "smtp"}
		if s.VerifyProtocol != "same" {
			protocols = []string{s.VerifyProtocol}
		}
		for _, protocol := range protocols {
			p := &probe{server: s.Name, protocol: protocol}
			list = append(list, p)
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				p.run(s, resolver)
			})
		}
	}
	wg.Wait()
	c.printProbes(list)
	for _, p := range list {
		ends.check(fmt.Sprintf("server %q, %s", p.server, p.protocol), p.report.NotAfter)
	}
	good := c.checkPassdbs(cfg.Passdbs, ends)
	good = c.checkRedis(cfg.Redis) && good
	if !good || ends.soon || slices.ContainsFunc(list, func(p *probe) bool { return p.err != nil }) {
		return errNo
	}
	return nil
}

func (p *probe) run(s *route.Server, resolver *route.Resolver) {
	addr, ok := resolver.Addr(s.Host)
	if !ok {
		p.err = fmt.Errorf("host %q cannot be resolved", s.Host)
		return
	}
	target := s.Upstream(p.protocol, addr)
	p.addr = target.Addr.String()
	p.report, p.err = target.Probe(context.Background())
}

func (c *call) printProbes(list []*probe) {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSERVER\tPROTOCOL\tADDRESS\tTLS\tCERTIFICATE ENDS\tOFFERS\tUSED\tTIMES\tRESULT")
	for _, p := range list {
		r := &p.report
		offers := r.Clear.Mechanisms
		if r.TLS != "" {
			offers = r.Encrypted.Mechanisms
		}
		ends := ""
		if !r.NotAfter.IsZero() {
			ends = r.NotAfter.Format(time.DateOnly)
		}
		result := "OK"
		if p.err != nil {
			result = p.err.Error()
		}
		fields := []string{p.server, p.protocol, p.addr, r.TLS, ends, strings.Join(offers, " "), strings.Join(r.Mechanisms, " "), times(r.Steps), result}
		for i, f := range fields {
			if fields[i] = authlog.Escape(f); f == "" {
				fields[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(fields, "\t"))
	}
	w.Flush()
}

func times(steps []upstream.Step) string {
	var texts []string
	for _, s := range steps {
		texts = append(texts, fmt.Sprintf("%s %.1fms", s.Name, float64(s.Took.Microseconds())/1000))
	}
	return strings.Join(texts, ", ")
}
