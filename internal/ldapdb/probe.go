package ldapdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Report is what [DB.Probe] has learned about one server.
type Report struct {
	URI      string
	TLS      string    // version, such as "TLS 1.3"; empty without TLS
	NotAfter time.Time // when the server's certificate expires
	Unknown  []string  // attributes of the filter and of fields that the server's schema does not have
	Err      error     // what does not work, nil if all does
}

// Probe connects to each server, binds as auth_dn, and looks for the base and the attributes.
func (d *DB) Probe(ctx context.Context) []Report {
	reports := make([]Report, len(d.targets))
	for i, t := range d.targets {
		reports[i] = d.probe(ctx, t)
	}
	return reports
}

func (d *DB) probe(ctx context.Context, t *target) (r Report) {
	r.URI = t.uri
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	c, err := d.connect(ctx, t)
	if err != nil {
		r.Err = err
		return r
	}
	defer c.leave()
	if state, ok := c.TLSConnectionState(); ok {
		r.TLS, r.NotAfter = tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter
	}
	if r.Err = d.prepareSearch(ctx, c); r.Err != nil || d.userDN != nil {
		return r
	}
	if r.Err = d.probeBase(ctx, c); r.Err == nil {
		r.Unknown, r.Err = d.unknownAttributes(ctx, c)
	}
	return r
}

// read reads an attribute of one entry.
func (c *conn) read(ctx context.Context, dn, filter, attribute string) (values []string, err error) {
	err = c.run(ctx, func() error {
		result, err := c.Search(&ldap.SearchRequest{
			BaseDN: dn, Scope: ldap.ScopeBaseObject, Filter: filter, Attributes: []string{attribute},
		})
		if err != nil {
			return err
		}
		if len(result.Entries) != 1 {
			return errNoEntry
		}
		values = result.Entries[0].GetEqualFoldAttributeValues(attribute)
		return nil
	})
	return values, err
}

var errNoEntry = errors.New("no such entry, or auth_dn may not read it")

func (d *DB) probeBase(ctx context.Context, c *conn) error {
	_, err := c.read(ctx, d.config.Base, "(objectClass=*)", noAttributes)
	if code, ok := resultCode(err); ok && code == ldap.LDAPResultNoSuchObject {
		err = errNoEntry
	}
	if err != nil {
		return fmt.Errorf("base %q: %w", d.config.Base, describe(err))
	}
	return nil
}

// unknownAttributes returns the attributes of the filter and of fields that the schema does not have. A server that does not show its schema
// is taken to have them.
func (d *DB) unknownAttributes(ctx context.Context, c *conn) (unknown []string, err error) {
	where, err := c.read(ctx, "", "(objectClass=*)", "subschemaSubentry")
	if err != nil || len(where) == 0 {
		return nil, unlessAnswered(err)
	}
	types, err := c.read(ctx, where[0], "(objectClass=subschema)", "attributeTypes")
	if err != nil || len(types) == 0 {
		return nil, unlessAnswered(err)
	}
	known := attributeNames(types)
	for _, name := range append(d.filterAttributes(), d.wanted...) {
		name, _, _ = strings.Cut(name, ";")
		if name != noAttributes && !slices.Contains(unknown, name) && !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			unknown = append(unknown, name)
		}
	}
	return unknown, nil
}

// filterAttribute finds the attributes of a filter (RFC 4515, section 3): each begins after a parenthesis.
var filterAttribute = regexp.MustCompile(`\(\s*([A-Za-z0-9][A-Za-z0-9.;-]*)\s*[=~<>:]`)

// filterAttributes returns the attributes that the filter compares. With an unknown one it would find no entry, and each
// user would seem not to exist.
func (d *DB) filterAttributes() (names []string) {
	for _, m := range filterAttribute.FindAllStringSubmatch(d.config.Filter, -1) {
		names = append(names, m[1])
	}
	return names
}

func unlessAnswered(err error) error {
	if answered(err) || errors.Is(err, errNoEntry) {
		return nil
	}
	return fmt.Errorf("schema: %w", err)
}

// typeNames finds the number and the names of an attribute type (RFC 4512, section 4.1.2):
// "( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) …" or "( 2.5.4.3 NAME 'cn' …".
var typeNames = regexp.MustCompile(`^\(\s*([0-9.]+)(?:\s+NAME\s+(?:'([^']*)'|\(([^)]*)\)))?`)

func attributeNames(types []string) (names []string) {
	for _, t := range types {
		if m := typeNames.FindStringSubmatch(t); m != nil {
			names = append(names, m[1], m[2])
			names = append(names, strings.FieldsFunc(m[3], func(r rune) bool { return r == ' ' || r == '\'' })...)
		}
	}
	return names
}
