package dovecotconf

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// word is one "name=value" of a connection string.
type word struct{ name, value string }

// connection is a connection string for the driver of mailauthd.
type connection struct {
	text   string
	secret bool   // whether it has a password
	what   string // describes it without the password
	limit  int    // of connections; 0: not set
	tls    bool   // by MySQL's driver
	line   int
}

// connect makes the connection string.
func (c *converter) connect(v *values, driver string, servers []server) connection {
	s, ok := v.take("connect")
	if c.is24 {
		return c.connectServers(v, driver, servers)
	}
	if !ok {
		return connection{line: s.line}
	}
	if driver == "pgsql" && (strings.HasPrefix(s.value, "postgres://") || strings.HasPrefix(s.value, "postgresql://")) {
		return connection{text: s.value, secret: true, what: "the value of connect", line: s.line}
	}
	words, err := splitWords(s.value, driver)
	if err != nil {
		c.tell(s.line, "connect: %v", err)
		return connection{line: s.line}
	}
	return c.join(driver, words, s.line)
}

// connectServers makes the connection string of the servers of Dovecot 2.4.
func (c *converter) connectServers(v *values, driver string, servers []server) connection {
	v.take("connect")
	servers = slices.DeleteFunc(slices.Clone(servers), func(s server) bool { return s.driver != driver })
	if len(servers) == 0 {
		return connection{line: v.of["sql_driver"].line}
	}
	first := servers[0]
	words := slices.Clone(first.words)
	for _, s := range servers[1:] {
		words = append(words, s.words[0]) // the host
		if !slices.Equal(s.words[1:], first.words[1:]) {
			c.tell(s.line, "a server with other settings than the first one has no key: it gets those of the first")
		}
	}
	made := c.join(driver, words, first.line)
	if ca, ok := v.take("ca_file"); ok && made.tls {
		c.tell(ca.line, "%s: %s", ca.name(), trustCA)
	}
	return made
}

func (c *converter) join(driver string, words []word, line int) connection {
	s := connection{line: line}
	words = slices.DeleteFunc(words, func(w word) bool {
		if w.name != "maxconns" {
			return false
		}
		n, err := strconv.Atoi(w.value)
		if err != nil || n < 1 || n > 1000 {
			c.tell(line, "the number of connections: want 1 to 1000")
		} else {
			s.limit = n
		}
		return true
	})
	if driver == "mysql" {
		c.joinMySQL(&s, words)
	} else {
		c.joinPgsql(&s, words)
	}
	return s
}

// splitWords splits a connection string. PostgreSQL has values in quotes, Dovecot's driver of MySQL has not.
func splitWords(s, driver string) (words []word, err error) {
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		name, rest, ok := strings.Cut(s, "=")
		if name = strings.TrimRight(name, " \t"); !ok || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("word %d has no value: want words such as dbname=mail", len(words)+1)
		}
		value, end := "", strings.IndexAny(rest, " \t")
		if driver == "pgsql" {
			value, end = cutValue(strings.TrimLeft(rest, " \t"))
			end += len(rest) - len(strings.TrimLeft(rest, " \t"))
		} else {
			if end < 0 {
				end = len(rest)
			}
			value = rest[:end]
		}
		words = append(words, word{name, value})
		s = rest[end:]
	}
	return words, nil
}

// cutValue reads a value as libpq does, and returns where it ends.
func cutValue(s string) (value string, end int) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'' && (i == 0 || quoted):
			if quoted {
				return b.String(), i + 1
			}
			quoted = true
		case !quoted && (s[i] == ' ' || s[i] == '\t'):
			return b.String(), i
		default:
			if s[i] == '\\' && i+1 < len(s) {
				i++
			}
			b.WriteByte(s[i])
		}
	}
	return b.String(), len(s)
}

// ofLibpq are words that libpq knows and the driver of mailauthd does not: it would send them to the server.
var ofLibpq = []string{
	"fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "hostaddr", "keepalives", "keepalives_count",
	"keepalives_idle", "keepalives_interval", "load_balance_hosts", "replication", "requirepeer", "sslcompression", "sslcrl",
	"sslcrldir", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslkeylogfile", "tcp_user_timeout", "tty",
}

// ofPgx are words that the driver of mailauthd and libpq know.
var ofPgx = []string{
	"application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "host", "krbsrvname", "options",
	"passfile", "password", "port", "require_auth", "service", "sslcert", "sslkey", "sslmode", "sslnegotiation", "sslpassword",
	"sslrootcert", "sslsni", "target_session_attrs", "user",
}

// joinPgsql keeps the words of PostgreSQL. Several hosts become one word.
func (c *converter) joinPgsql(s *connection, words []word) {
	var hosts, rest, masked []string
	for _, w := range words {
		switch {
		case w.name == "host":
			hosts = append(hosts, w.value)
		case slices.Contains(ofLibpq, w.name):
			c.tell(s.line, "the driver of mailauthd does not have %s: it is left out", w.name)
		case !slices.Contains(ofPgx, w.name):
			c.tell(s.line, "a word of the connection string is unknown: it is left out")
		default:
			rest = append(rest, w.name+"="+quoteWord(w.value))
			if w.name == "password" || w.name == "sslpassword" {
				s.secret, w.value = true, "PASSWORD"
			}
			masked = append(masked, w.name+"="+quoteWord(w.value))
		}
	}
	if hosts != nil {
		host := []string{"host=" + quoteWord(strings.Join(hosts, ","))}
		rest, masked = append(host, rest...), slices.Concat(host, masked)
	}
	s.text = strings.Join(rest, " ")
	s.what = "the connection string " + strings.Join(masked, " ") + " with the password of that line"
}

func quoteWord(s string) string {
	if s != "" && !strings.ContainsAny(s, ` '\`+"\t") {
		return s
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// joinMySQL makes the string of the driver, such as user:password@tcp(db1:3306)/mail.
func (c *converter) joinMySQL(s *connection, words []word) {
	cfg := mysql.NewConfig()
	host, port := "", "3306"
	for _, w := range words {
		switch w.name {
		case "host", "hostaddr":
			if host != "" {
				c.tell(s.line, "several hosts have no key: only the first one is asked")
				continue
			}
			host = w.value
		case "port":
			port = w.value
		case "user":
			cfg.User = w.value
		case "password":
			cfg.Passwd, s.secret = w.value, w.value != ""
		case "dbname":
			cfg.DBName = w.value
		default:
			c.optionMySQL(cfg, w, s.line)
		}
	}
	if host == "" {
		c.tell(s.line, "no host: want one such as host=127.0.0.1")
		return
	}
	if cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(host, port); strings.HasPrefix(host, "/") {
		cfg.Net, cfg.Addr = "unix", host
	}
	c.formatMySQL(s, cfg, host)
}

// formatMySQL writes the string of MySQL's driver.
func (c *converter) formatMySQL(s *connection, cfg *mysql.Config, host string) {
	if host == "localhost" {
		c.warn(s.line, "Dovecot reaches localhost by MySQL's socket, mailauthd by TCP: for the socket write unix(/run/mysqld/mysqld.sock)")
	}
	s.tls = cfg.TLSConfig != ""
	text := cfg.FormatDSN()
	if again, err := mysql.ParseDSN(text); err != nil || again.User != cfg.User || again.Passwd != cfg.Passwd || again.DBName != cfg.DBName || again.Addr != cfg.Addr {
		c.tell(s.line, "the driver of mailauthd cannot have these values in its connection string: want another user or password")
		return
	}
	s.text = text
	cfg.Passwd = "PASSWORD"
	s.what = "the connection string " + cfg.FormatDSN() + " with the password of that line"
}

const trustCA = "there is no key for MySQL's CA: add it to those of the system, or name its file in SSL_CERT_FILE of the environment"

// optionMySQL reads the words beside those that say where the database is.
func (c *converter) optionMySQL(cfg *mysql.Config, w word, line int) {
	switch w.name {
	case "ssl":
		if strings.EqualFold(w.value, "yes") {
			cfg.TLSConfig = "true"
		}
	case "ssl_ca", "ssl_ca_path":
		cfg.TLSConfig = "true"
		c.tell(line, "%s: %s", w.name, trustCA)
	case "ssl_verify_server_cert":
		if w.value != "yes" {
			c.tell(line, "%s has no key: a certificate is always verified", w.name)
		}
	case "ssl_cert", "ssl_key", "ssl_cipher":
		cfg.TLSConfig = "true"
		c.tell(line, "%s has no key", w.name)
	case "connect_timeout", "read_timeout", "write_timeout":
		c.warn(line, "%s is left out: timeout of the section bounds all of a query", w.name)
	case "option_file", "option_group", "client_flags":
		c.tell(line, "%s has no key: write the values into the connection string", w.name)
	default:
		c.tell(line, "a word of the connection string is unknown: it is left out")
	}
}
