package users

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// dropped are extra fields whose names can be shown. Any other word may be a piece
// of a password that had a colon or a space in it.
var dropped = []string{
	"auth_mech", "cert_username", "client_id", "domain", "hostip", "k5principals", "lip", "local_name", "login_user", "lport",
	"master", "master_user", "nodelay", "original_user", "password", "port", "proxy", "proxy_maybe", "proxy_mech",
	"proxy_nopipelining", "proxy_noauth", "proxy_not_trusted", "proxy_redirect_reauth", "proxy_refresh", "proxy_timeout", "proxy_ttl",
	"source_ip", "ssl", "starttls", "tcpnodelay", "user",
}

// droppedPrefixes begin names that are made up as needed, such as userdb_quota_rule.
var droppedPrefixes = []string{"userdb_", "event_", "forward_"}

// kept are the extra fields that mean something here, or that must not be passed over.
var kept = []string{"allow_nets", "allow_real_nets", "delay_until", "destuser", "fail", "host", "nologin", "nopassword", "pass", "reason"}

// readExtra reads the last field: words with or without a value.
func (e *Entry) readExtra(s string) error {
	if old, mail := strings.CutPrefix(s, ":"); mail {
		if holdsExtraFields(old) {
			return fmt.Errorf("what looks like an extra field stands in field %d, where Dovecot ignores it: extra fields are the %dth", extraField+2, extraField+1)
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
			return fmt.Errorf("extra field %d has a colon in its name: Dovecot would not know the field", n)
		}
		if err := e.set(name, value, n); err != nil {
			return err
		}
	}
	return nil
}

// set keeps one extra field. As in Dovecot the last one counts if a field stands twice, and
// the mere name of nologin and fail is enough, whatever their value.
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
		return errors.New(`nopassword would let anybody in: where the mail server checks the password, say verify = "upstream" for the domain and leave the user out`)
	case "allow_real_nets", "delay_until":
		return fmt.Errorf("%s limits logins and there is nothing like it here: take the field out to import the user without", name)
	default:
		if !isDropped(name) {
			name = fmt.Sprintf("extra field %d", n)
		}
		e.Dropped = append(e.Dropped, name)
	}
	return nil
}

// checkVerbatim refuses what Dovecot would not take as it is written: it expands
// variables in these values, and which depends on its version.
func checkVerbatim(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s is empty", name)
	case strings.Contains(value, "%"):
		return fmt.Errorf(`%s holds a "%%", which Dovecot takes for a variable: write out what it stands for`, name)
	}
	return nil
}

// parseNets refuses a list with anything unknown in it: without that the user could log in
// from elsewhere, or from nowhere. "local" is Dovecot's word for a unix socket, by
// which no client comes here.
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
			return nil, fmt.Errorf("allow_nets: entry %d is neither an address nor a net", i+1)
		}
		nets = append(nets, net)
	}
	if len(nets) == 0 {
		return nil, errors.New("allow_nets names no net")
	}
	return nets, nil
}

func isDropped(name string) bool {
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

// holdsExtraFields tells a field with a value that was put one colon too early or too late.
func holdsExtraFields(s string) bool {
	for word := range strings.FieldsSeq(s) {
		if name, _, ok := strings.Cut(word, "="); (ok || name == "nologin") && slices.Contains(kept, name) {
			return true
		}
	}
	return false
}
