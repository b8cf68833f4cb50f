package users

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// dropped lists the ignored extra fields whose names may be shown. Any other word may be a part
// of a password with a colon or a space.
var dropped = []string{
	"auth_mech", "cert_username", "client_id", "domain", "hostip", "k5principals", "lip", "local_name", "login_user", "lport",
	"master", "master_user", "nodelay", "original_user", "password", "port", "proxy", "proxy_maybe", "proxy_mech",
	"proxy_nopipelining", "proxy_noauth", "proxy_not_trusted", "proxy_redirect_reauth", "proxy_refresh", "proxy_timeout", "proxy_ttl",
	"source_ip", "ssl", "starttls", "tcpnodelay", "user",
}

// droppedPrefixes are the prefixes of further such names, for example of userdb_quota_rule.
var droppedPrefixes = []string{"userdb_", "event_", "forward_"}

// kept lists the extra fields that are imported, or that must not be ignored.
var kept = []string{"allow_nets", "allow_real_nets", "delay_until", "destuser", "fail", "host", "nologin", "nopassword", "pass", "reason"}

// readExtra reads the last field, which has the extra fields, separated by spaces.
func (e *Entry) readExtra(s string) error {
	if old, mail := strings.CutPrefix(s, ":"); mail {
		if holdsExtraFields(old) {
			return fmt.Errorf("field %d looks like an extra field, and Dovecot ignores it there: move it to field %d", extraField+2, extraField+1)
		}
		if strings.Trim(old, ":") != "" {
			e.Dropped = append(e.Dropped, "userdb_mail")
		}
		return nil
	}
	n := 0
	for word := range strings.SplitSeq(s, " ") {
		if word == "" {
			continue
		}
		n++
		name, value, _ := strings.Cut(word, "=")
		if strings.Contains(name, ":") {
			return fmt.Errorf("extra field %d has a colon in its name: Dovecot ignores such a field", n)
		}
		if err := e.set(name, value, n); err != nil {
			return err
		}
	}
	return nil
}

// set stores one extra field. As in Dovecot, the last one applies if a field is repeated, and
// nologin and fail apply whatever their value.
func (e *Entry) set(name, value string, n int) error {
	switch name {
	case "allow_nets":
		nets, err := parseNets(value)
		e.AllowNets = nets
		return err
	case "nologin", "fail":
		e.NoLogin = true
	case "reason":
		e.Reason = value
	case "host":
		e.Host = value
	case "destuser":
		e.Login = value
		return checkVerbatim(name, value)
	case "pass":
		e.UpstreamPassword = value
		return checkVerbatim(name, value)
	case "nopassword":
		return errors.New(`nopassword would let anybody in: if the mail server is to check the password, set verify = "upstream" for the domain and remove the user`)
	case "allow_real_nets", "delay_until":
		return fmt.Errorf("%s restricts logins and is not supported: remove the field to import the user without it", name)
	default:
		if !IsIgnored(name) {
			name = fmt.Sprintf("extra field %d", n)
		}
		e.Dropped = append(e.Dropped, name)
	}
	return nil
}

// checkVerbatim refuses an empty value, and one that Dovecot would not use as it is written.
// Dovecot expands variables in it, and each version has other variables.
func checkVerbatim(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s is empty", name)
	case strings.Contains(value, "%"):
		return fmt.Errorf(`%s holds a "%%", which Dovecot takes for a variable: write the value of the variable`, name)
	}
	return nil
}

// parseNets refuses a list with an unknown entry. Without the entry, the user could log in from
// more networks, or from none. "local" is Dovecot's term for a unix socket, which no client of
// nginx uses.
func parseNets(value string) ([]string, error) {
	if err := checkVerbatim("allow_nets", value); err != nil {
		return nil, err
	}
	var nets []string
	for i, net := range strings.Split(value, ",") {
		if net == "local" {
			continue
		}
		_, errAddr := netip.ParseAddr(net)
		_, errNet := netip.ParsePrefix(net)
		if errAddr != nil && errNet != nil {
			return nil, fmt.Errorf("allow_nets: entry %d is neither an address nor a network", i+1)
		}
		nets = append(nets, net)
	}
	if len(nets) == 0 {
		return nil, errors.New("allow_nets has no network")
	}
	return nets, nil
}

// IsIgnored reports whether an extra field of Dovecot is ignored, and its name may be shown.
func IsIgnored(name string) bool {
	if slices.Contains(dropped, name) {
		return true
	}
	for _, prefix := range droppedPrefixes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest != "" && strings.Trim(rest, schemeLetters+"/") == ""
		}
	}
	return false
}

// holdsExtraFields reports whether a field looks like extra fields, with a colon too few or too many
// before it.
func holdsExtraFields(s string) bool {
	for word := range strings.FieldsSeq(s) {
		if name, _, ok := strings.Cut(word, "="); (ok || name == "nologin") && slices.Contains(kept, name) {
			return true
		}
	}
	return false
}
