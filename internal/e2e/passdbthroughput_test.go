package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"
)

// TestPassdbThroughput measures logins with users of each kind of database beside those of the map, in one run. All
// passwords are hashed with SSHA, so that the hash takes no time. mailauthd is asked by HTTP.
func TestPassdbThroughput(t *testing.T) {
	if !*throughput {
		t.Skip("a benchmark: make bench")
	}
	d := deployPassdbs(t)
	contenders := d.passdbContenders(t)
	fmt.Printf("\n%d connections, %d rounds of %v each in turn, medians; ratios to the map\n", loadConnections, loadRounds, loadDuration)
	for _, cache := range []string{"", "\n[cache]\nsize = 1000\n"} {
		d.daemon.stop(t)
		writeFile(t, filepath.Dir(d.daemon.config), filepath.Base(d.daemon.config), readFile(t, d.daemon.config)+cache)
		d.daemon.start(t, d.site)
		for i := range contenders {
			c := &contenders[i]
			c.responder, c.rates, c.cpu = d.daemon.process, nil, nil
			loginRequest{account: c.user}.check(t, d.socket, granted)
		}
		for round := range loadRounds {
			for i := range contenders {
				contenders[(i+round)%len(contenders)].load(t)
			}
		}
		printPassdbTable(contenders, cache != "")
	}
	dropped := 2 * loadRounds * len(contenders) * loadConnections // wrk does not wait for the last answers
	if refused := countLines(t, d.daemon.authLog, `grep -vc " outcome=ok "`); refused > dropped {
		t.Errorf("%d logins were not granted, more than the %d that wrk gave up", refused, dropped)
	}
}

// passdbContenders adds a user to each database that has none with SSHA. The servers log no queries from now on.
func (d *passdbSite) passdbContenders(t *testing.T) []contender {
	hash := doveadmPW(t, mark, "-s", "SSHA")
	add := func(domain string) account { return account{"ssha@" + domain, mark} }
	d.postgres.exec(t, "INSERT INTO users VALUES ('ssha', 'domain1.com', '"+hash+"')", "ALTER ROLE mailauthd SET log_statement = 'none'")
	d.mariadb.exec(t, "INSERT INTO mailbox VALUES ('ssha@postfix.example', '"+hash+"', 1)")
	d.slapd.halt(t)
	for i, arg := range d.slapd.command {
		if arg == "256" {
			d.slapd.command[i] = "0"
		}
	}
	d.slapd.run()
	writeFile(t, filepath.Dir(d.daemon.config), filepath.Base(d.daemon.config), readFile(t, d.daemon.config)+userTOML("ssha@toml.example", hash))
	url := "http://" + d.http + "/mail/auth.php"
	return []contender{
		{name: "the map (TOML)", url: url, user: add("toml.example")},
		{name: "PostgreSQL", url: url, user: add("domain1.com")},
		{name: "MariaDB", url: url, user: add("postfix.example")},
		{name: "OpenLDAP, hash", url: url, user: edda},
		{name: "OpenLDAP, bind", url: url, user: cora},
	}
}

func printPassdbTable(contenders []contender, cache bool) {
	fmt.Printf("\ncache %s\n", map[bool]string{false: "off", true: "on"}[cache])
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "users in\tlogins/s\tratio\tCPU µs/login of mailauthd\tratio\t")
	first := contenders[0]
	for _, c := range contenders {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%.2f\t\n", c.name, median(c.rates), median(c.rates)/median(first.rates),
			median(c.cpu), median(c.cpu)/median(first.cpu))
	}
	w.Flush()
}
