package config

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
)

// buildServers reads the servers of all files, and notes where their host names are.
func (l *loader) buildServers(names map[string]Problem) map[string]*route.Server {
	servers := make(map[string]*route.Server)
	l.eachTable("servers", func(f *file, name string) {
		servers[name] = l.buildServer(f, name, f.content.Servers[name])
		host := servers[name].Host
		if _, err := netip.ParseAddr(host); err != nil && names[host] == (Problem{}) {
			key := toml.Key{"servers", name, "host"}
			names[host] = Problem{File: f.path, Line: f.line(key), Key: key.String()}
		}
	})
	return servers
}

// eachTable calls do for each table of a section with names, in all files. A duplicate name is a problem.
func (l *loader) eachTable(section string, do func(f *file, name string)) {
	first := make(map[string]*file)
	for _, f := range l.files {
		for _, name := range f.sections[section] {
			key := toml.Key{section, name}
			if other := first[name]; other != nil {
				l.problems.add(f, key, "is already defined in %s:%d: rename or remove one of them", other.path, other.line(key))
				continue
			}
			first[name] = f
			do(f, name)
		}
	}
}

func (l *loader) buildServer(f *file, name string, s *serverSection) *route.Server {
	key := toml.Key{"servers", name}
	l.checkHost(f, key, s.Host)
	timeout := l.timeout(f, key, "timeout", s.Verify.Timeout, defaultTimeout)
	connect := l.timeout(f, key, "connect_timeout", s.Verify.ConnectTimeout, defaultConnect)
	if s.Verify.ConnectTimeout != nil && connect > timeout {
		l.warn(f, append(key, "verify", "connect_timeout"), "is longer than timeout, which ends the whole check: want at most %q", timeout)
	}
	server := &route.Server{
		Name:           name,
		Host:           s.Host,
		POP3:           l.port(f, append(key, "pop3"), s.POP3, defaultPOP3),
		IMAP:           l.port(f, append(key, "imap"), s.IMAP, defaultIMAP),
		SMTP:           l.port(f, append(key, "smtp"), s.SMTP, defaultSMTP),
		VerifyProtocol: "same",
		ConnectTimeout: min(connect, timeout),
		Timeout:        timeout,
		Weight:         defaultWeight,
		Master:         l.buildMaster(f, key, s.Master),
	}
	if s.Weight != nil {
		l.within(f, append(key, "weight"), *s.Weight, 1, maxWeight)
		server.Weight = *s.Weight
	}
	l.buildVerify(f, append(key, "verify"), &s.Verify, server)
	return server
}

// checkHost accepts an address, or a name that can be resolved.
func (l *loader) checkHost(f *file, server toml.Key, host string) {
	key := append(server, "host")
	if host == "" {
		l.problems.add(f, key, `is missing: want an address such as "192.168.0.1", or a host name`)
		return
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			l.problems.add(f, key, `nginx cannot connect to such an address: want one such as "192.168.0.1" or "2001:db8::1"`)
		}
		return
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := mailaddr.Domain(host); err != nil || strings.Trim(last, "0123456789") == "" {
		l.problems.add(f, key, `want an address such as "192.168.0.1" or "2001:db8::1", or a host name such as "mail.example.com"`)
	}
}

func (l *loader) port(f *file, key toml.Key, n *int, preset uint16) uint16 {
	if n == nil {
		return preset
	}
	if *n < 1 || *n > 65535 {
		l.problems.add(f, key, "want a port from 1 to 65535")
	}
	return uint16(*n)
}

func (l *loader) timeout(f *file, server toml.Key, name string, s *duration, preset time.Duration) time.Duration {
	if s == nil {
		return preset
	}
	return l.duration(f, append(server, "verify", name), *s, time.Millisecond, maxTimeout)
}

func (l *loader) buildDomains(servers map[string]*route.Server, delimiter string) []*route.Domain {
	var domains []*route.Domain
	first := make(map[string]string) // where each is defined, by the canonical form
	for _, f := range l.files {
		for _, name := range f.sections["domains"] {
			key := toml.Key{"domains", name}
			s := f.content.Domains[name]
			d := l.buildDomain(f, key, s, servers)
			if d == nil {
				continue
			}
			d.RecipientDelimiter = delimiter
			if s.RecipientDelimiter != nil {
				d.RecipientDelimiter = l.recipientDelimiter(f, append(key, "recipient_delimiter"), *s.RecipientDelimiter)
			}
			if other, ok := first[d.Name]; ok {
				l.problems.add(f, key, "is the same domain as %s: remove one of them", other)
				continue
			}
			first[d.Name] = f.at(key)
			domains = append(domains, d)
		}
	}
	return domains
}

func (l *loader) buildDomain(f *file, key toml.Key, s *domainSection, servers map[string]*route.Server) *route.Domain {
	name, err := route.CanonicalDomain(key[1])
	if key[1] != route.AnyDomain && strings.Contains(strings.TrimPrefix(key[1], "*."), "*") {
		l.problems.add(f, key, `want a domain such as "example.com", or "*.example.com" for all its subdomains`)
		return nil
	}
	if err != nil {
		l.problems.add(f, key, "%v", err)
		return nil
	}
	d := &route.Domain{Name: name, Verify: route.VerifyUpstream, Policy: route.PolicyOrder}
	if s.Verify != nil {
		d.Verify = *s.Verify
	}
	l.checkVerify(f, append(key, "verify"), d)
	if len(s.Servers) == 0 {
		l.problems.add(f, append(key, "servers"), `is missing: want the names of one or more servers, such as ["axigen1"]`)
	}
	if s.Policy != nil {
		d.Policy = *s.Policy
	}
	if d.Policy != "" {
		l.choose(f, append(key, "policy"), d.Policy)
	}
	d.Servers = l.serverList(f, append(key, "servers"), s.Servers, servers)
	d.MX = l.serverList(f, append(key, "mx"), s.MX, servers)
	d.CatchAll = s.CatchAll
	l.checkCatchAll(f, append(key, "catch_all"), d)
	d.Access = l.buildAccess(f, key, &s.accessSection)
	return d
}

// checkVerify accepts a word or the name of a passdb. The users of domains that are not listed must be in one.
func (l *loader) checkVerify(f *file, key toml.Key, d *route.Domain) {
	l.used[passdbKey(d.Verify)] = true
	passdbs := l.passdbNames()
	words := append(slices.Clone(choices[pathOf(key)]), passdbs...)
	switch {
	case !oneOf(d.Verify, words...):
		l.problems.add(f, key, "want one of %s, or the name of a passdb", quoteAll(words))
	case d.Name == route.AnyDomain && !oneOf(d.Verify, passdbs...):
		l.problems.add(f, key, "must be the name of a passdb: otherwise every domain of the world would be sent to these servers")
	}
}

// checkCatchAll refuses to take mail for every recipient of domains that need not be ours.
func (l *loader) checkCatchAll(f *file, key toml.Key, d *route.Domain) {
	if !d.CatchAll || d.Name != route.AnyDomain {
		return
	}
	for _, other := range l.files {
		if s := other.content.Passdb[d.Verify]; s != nil && s.DomainQuery == "" {
			l.problems.add(f, key, "needs a passdb with domain_query: otherwise mail to every domain of the world would be taken")
		}
	}
}

// serverList looks up servers by name.
func (l *loader) serverList(f *file, key toml.Key, names []string, servers map[string]*route.Server) []*route.Server {
	var list []*route.Server
	for i, name := range names {
		if servers[name] == nil {
			l.problems.add(f, key, "entry %d: no such server (known: %s)", i+1, strings.Join(slices.Sorted(maps.Keys(servers)), ", "))
			continue
		}
		if slices.Contains(list, servers[name]) {
			l.problems.add(f, key, "entry %d: server %q is already in the list: remove one of them", i+1, name)
		}
		l.used[name] = true
		list = append(list, servers[name])
	}
	return list
}

func oneOf(s string, list ...string) bool { return slices.Contains(list, s) }
