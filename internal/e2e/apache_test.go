package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// startApache starts Apache between the mail proxy and mailauthd.
func startApache(tb testing.TB, s site, config string) *process {
	tb.Helper()
	needRoot(tb)
	dir := tempDir(tb)
	return runApache(tb, dir, apacheArgs(tb, dir, s.relocateApache(tb, config)), s.auth)
}

// relocateApache puts the places of this test into a configuration, and adds the Listen line that an administrator has.
func (s site) relocateApache(tb testing.TB, config string) string {
	tb.Helper()
	config = s.relocate(tb, config)
	if !strings.Contains(withoutComments(config), "Listen "+s.auth) {
		config = "Listen " + s.auth + "\n" + config
	}
	return config
}

func runApache(tb testing.TB, dir string, args []string, addresses ...string) *process {
	tb.Helper()
	p := start(tb, dir, "webserver", apache(tb), append(args, "-D", "FOREGROUND")...)
	p.logs = append(p.logs, filepath.Join(dir, "error.log"))
	waitReady(tb, p, addresses...)
	return p
}

func apache(tb testing.TB) string {
	tb.Helper()
	return program(tb, "apache2", "httpd")
}

// apacheModules are those modules that Debian and Arch load by default and the tests need, and those that
// the files in contrib/apache say to add.
var apacheModules = []string{"mpm_event", "unixd", "authz_core", "authz_host", "proxy", "proxy_fcgi"}

// apacheArgs writes a whole configuration into dir and returns the arguments to run Apache with it.
func apacheArgs(tb testing.TB, dir, config string) []string {
	tb.Helper()
	return apacheArgsWith(tb, dir, config, apacheModules)
}

func apacheArgsWith(tb testing.TB, dir, config string, modules []string) []string {
	tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %q\nDefaultRuntimeDir %q\nPidFile apache.pid\n", dir, dir)
	fmt.Fprintf(&b, "ServerName localhost\nErrorLog %q\n", filepath.Join(dir, "error.log"))
	for _, name := range modules {
		if file := apacheModule(tb, name); file != "" {
			fmt.Fprintf(&b, "<IfModule !%s_module>\n    LoadModule %s_module %q\n</IfModule>\n", name, name, file)
		}
	}
	fmt.Fprintf(&b, "User %s\nGroup %s\n%s", webGroup(tb), webGroup(tb), config)
	return []string{"-f", writeFile(tb, dir, "apache.conf", b.String())}
}

// apacheModule returns the file of a module. It returns an empty string for a module that is built in.
func apacheModule(tb testing.TB, name string) string {
	tb.Helper()
	dirs := []string{"/usr/lib/apache2/modules", "/usr/lib/httpd/modules", "/usr/lib64/httpd/modules"}
	for _, dir := range dirs {
		if file := filepath.Join(dir, "mod_"+name+".so"); exists(file) {
			return file
		}
	}
	return ""
}
