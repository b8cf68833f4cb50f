package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	clientTimeout = 30 * time.Second
	// loginDenied is curl's exit status for it.
	loginDenied = 67
	// unsent is what to send where it is refused.
	unsent = "This message must not be sent."
)

// session is what a mail client did with a login: it read the first message (IMAP, POP3), or sent one (SMTP).
type session struct {
	status int    // the client's exit status
	output string // what it read
	trace  string // what the server said, each line behind "< "
}

// curlSession has curl log in. options is what --login-options takes: the SASL mechanism. message is
// what to send by SMTP.
func curlSession(tb testing.TB, s site, protocol, options string, a account, message string) session {
	tb.Helper()
	config := []string{
		curlOption("user", a.user+":"+a.password),
		curlOption("login-options", options),
		curlOption("url", s.url(protocol)),
	}
	if protocol == "smtp" {
		config = append(config, curlMail(tb, message, "someone@example.org")...)
	}
	return runCurl(tb, s, config)
}

func runCurl(tb testing.TB, s site, config []string) session {
	tb.Helper()
	config = append(config, "silent", "verbose", curlOption("cacert", s.ca.file))
	// The password goes by standard input: a command line is there for everyone to see.
	return runClient(tb, strings.Join(config, "\n"), program(tb, "curl"), "--disable", "--config", "-")
}

// curlMail is what makes curl send a message.
func curlMail(tb testing.TB, message string, recipients ...string) []string {
	tb.Helper()
	mail := writeFile(tb, tempDir(tb), "message", "Subject: test\r\n\r\n"+message+"\r\n")
	config := []string{curlOption("mail-from", "sender@domain1.com"), curlOption("upload-file", mail)}
	for _, r := range recipients {
		config = append(config, curlOption("mail-rcpt", r))
	}
	return config
}

// curlOption is a line of a curl configuration file. Its strings know five escapes and are bytes otherwise.
func curlOption(name, value string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	return fmt.Sprintf(`%s = "%s"`, name, escape.Replace(value))
}

// url is where a client of the protocol finds the first message, or sends.
func (s site) url(protocol string) string {
	switch protocol {
	case "imap":
		return fmt.Sprintf("imaps://%s/INBOX;MAILINDEX=1", loopback(s.imap))
	case "pop3":
		return fmt.Sprintf("pop3s://%s/1", loopback(s.pop3))
	default:
		return fmt.Sprintf("smtps://%s/client.example.org", loopback(s.smtp))
	}
}

// pythonSession has the client of Python's standard library log in.
func pythonSession(tb testing.TB, s site, protocol, _ string, a account, message string) session {
	tb.Helper()
	return runPython(tb, s, protocol, a.user, a.password, message)
}

func runPython(tb testing.TB, s site, protocol, user, secret, message string, options ...string) session {
	tb.Helper()
	port := map[string]int{"imap": s.imap, "pop3": s.pop3, "smtp": s.smtp, "mx": s.mx}[protocol]
	args := []string{filepath.Join("testdata", "client.py"), protocol, fmt.Sprint(port), s.ca.file}
	input := strings.Join([]string{user, secret, message}, "\n")
	return runClient(tb, input, program(tb, "/usr/bin/python3", "python3"), append(args, options...)...)
}

func runClient(tb testing.TB, input, path string, args ...string) session {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	defer cancel()
	var output, trace bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &output, &trace
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	return session{cmd.ProcessState.ExitCode(), output.String(), withoutCurlNoise(trace.String())}
}

// withoutCurlNoise leaves the dialogue, and leaves out what curl says about TLS.
func withoutCurlNoise(trace string) string {
	return regexp.MustCompile(`(?m)^[*{}] .*\n`).ReplaceAllString(trace, "")
}

// said reports whether the server said exactly this, as a whole line; an IMAP tag stands as "TAG".
func (s session) said(line string) bool {
	line = strings.Replace(regexp.QuoteMeta(line), "TAG", `[A-Z]+\d+`, 1)
	return regexp.MustCompile(`(?m)^< ` + line + `\s*$`).MatchString(s.trace)
}

// checkRefused wants the login to be refused with this line.
func (s session) checkRefused(tb testing.TB, line string) {
	tb.Helper()
	if s.status != loginDenied || !s.said(line) {
		tb.Errorf("exit status %d, want %d and %q; the client's trace:\n%s", s.status, loginDenied, line, s.trace)
	}
}
