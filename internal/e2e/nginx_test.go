package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// startFront starts nginx as the mail proxy.
func startFront(tb testing.TB, s site, config string) *process {
	tb.Helper()
	return startNginx(tb, "front", s.relocate(tb, config), loopback(s.pop3), loopback(s.imap), loopback(s.smtp))
}

// allMethods returns mail.conf with all options in its comments: every method, and mail-mx.conf.
func allMethods(tb testing.TB) string {
	tb.Helper()
	config := contrib(tb, "nginx/mail.conf")
	config = replace(config, `(?m)^ *(pop3|imap|smtp)_auth .*\n( *)#`, "$2")
	config = replace(config, `(?m)^( *)#(\S)`, "$1$2")
	mx := contrib(tb, "nginx/mail-mx.conf")
	return replace(config, `include +/etc/nginx/mail-mx\.conf;`, strings.ReplaceAll(mx, "$", "$$"))
}

// startNginxHTTP starts nginx between the mail proxy and mailauthd, with the given configuration
// inside http {}.
func startNginxHTTP(tb testing.TB, s site, config string) *process {
	tb.Helper()
	return startNginx(tb, "webserver", inHTTP(s.relocate(tb, config)), s.auth)
}

func startNginx(tb testing.TB, name, config string, addresses ...string) *process {
	tb.Helper()
	needRoot(tb)
	dir := tempDir(tb)
	p := start(tb, dir, name, program(tb, "nginx"), nginxArgs(tb, dir, config)...)
	waitReady(tb, p, addresses...)
	return p
}

// nginxArgs writes a whole configuration into dir and returns the arguments to run nginx with it in
// the foreground, without a file outside of dir. Errors go to standard error.
func nginxArgs(tb testing.TB, dir, config string) []string {
	tb.Helper()
	main := fmt.Sprintf(`%s
%s
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr warn;
events {}
%s`, mailModule(tb), workerUser(tb), config)
	linkParams(tb, dir)
	return []string{"-p", dir, "-e", "stderr", "-c", writeFile(tb, dir, "nginx.conf", main)}
}

// workerUser returns the directive that sets the user of the workers. nginx ignores it unless root starts it.
func workerUser(tb testing.TB) string {
	tb.Helper()
	if os.Geteuid() != 0 {
		return ""
	}
	return "user " + webGroup(tb) + ";"
}

func inHTTP(config string) string {
	return `http {
access_log access.log;
client_body_temp_path body;
proxy_temp_path proxy;
fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
` + config + "\n}\n"
}

// mailModule returns the directive that loads nginx's mail module. It is empty if the module is built in.
func mailModule(tb testing.TB) string {
	tb.Helper()
	options := nginxOptions(tb)
	if !strings.Contains(options, "--with-mail=dynamic") {
		if !strings.Contains(options, "--with-mail ") && !strings.Contains(options, "--with-mail\n") {
			skip(tb, "nginx is built without its mail module")
		}
		return ""
	}
	file := filepath.Join(nginxPath(options, "modules-path"), "ngx_mail_module.so")
	if !exists(file) {
		skip(tb, "nginx's mail module is not installed (Debian: libnginx-mod-mail)")
	}
	return "load_module " + file + ";"
}

// linkParams makes "include fastcgi_params" find the file that comes with nginx.
func linkParams(tb testing.TB, dir string) {
	tb.Helper()
	const name = "fastcgi_params"
	file := filepath.Join(filepath.Dir(nginxPath(nginxOptions(tb), "conf-path")), name)
	if err := os.Symlink(file, filepath.Join(dir, name)); err != nil {
		tb.Fatal(err)
	}
}

// nginxDefaults are the paths of an nginx that was built without an option for them; relative ones are below the prefix
// (nginx's auto/options).
var nginxDefaults = map[string]string{
	"prefix":       "/usr/local/nginx",
	"conf-path":    "conf/nginx.conf",
	"modules-path": "modules",
}

// nginxPath returns the path that nginx was built with. options is what nginx -V prints.
func nginxPath(options, name string) string {
	path := nginxDefaults[name]
	if match := regexp.MustCompile(`(?m)(?:^|\s)--` + name + `=(\S+)`).FindStringSubmatch(options); match != nil {
		path = match[1]
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(nginxPath(options, "prefix"), path)
}

func TestNginxPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ options, conf, modules string }{
		{"--with-mail=dynamic", "/usr/local/nginx/conf/nginx.conf", "/usr/local/nginx/modules"},
		{"--with-cc-opt='-ffile-prefix-map=/a=.' --prefix=/opt/nginx --with-mail", "/opt/nginx/conf/nginx.conf", "/opt/nginx/modules"},
		{"--prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --modules-path=/usr/lib/nginx/modules", "/etc/nginx/nginx.conf", "/usr/lib/nginx/modules"},
		{"--conf-path=etc/nginx.conf", "/usr/local/nginx/etc/nginx.conf", "/usr/local/nginx/modules"},
	} {
		options := "configure arguments: " + tt.options + "\n"
		if conf, modules := nginxPath(options, "conf-path"), nginxPath(options, "modules-path"); conf != tt.conf || modules != tt.modules {
			t.Errorf("%s: %s and %s, want %s and %s", tt.options, conf, modules, tt.conf, tt.modules)
		}
	}
}

func nginxOptions(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command(program(tb, "nginx"), "-V").CombinedOutput()
	if err != nil {
		tb.Fatalf("nginx -V: %v\n%s", err, out)
	}
	return string(out)
}
