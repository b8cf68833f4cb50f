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
	// loginDenied is curl's exit status for a refused login.
	loginDenied = 67
	// unsent is a message to send if the login must be refused.
	unsent = "This message must not be sent."
)

// session is what a mail client did with a login: it read the first message (IMAP, POP3), or sent one (SMTP).
type session struct {
	status int    // the client's exit status
	output string // what it read
	trace  string // what the server said, each line behind "< "
}

// curlSession logs in by curl. The options are those of --login-options, which has the SASL mechanism. By SMTP,
// curl sends the message.
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
	// The configuration goes to standard input, because all users can see a command line.
	return runClient(tb, strings.Join(config, "\n"), program(tb, "curl"), "--disable", "--config", "-")
}

// curlMail returns the curl options that send a message.
func curlMail(tb testing.TB, message string, recipients ...string) []string {
	tb.Helper()
	mail := writeFile(tb, tempDir(tb), "message", "Subject: test\r\n\r\n"+message+"\r\n")
	config := []string{curlOption("mail-from", "sender@domain1.com"), curlOption("upload-file", mail)}
	for _, r := range recipients {
		config = append(config, curlOption("mail-rcpt", r))
	}
	return config
}

// curlOption returns a line of a curl configuration file. Strings there have five escapes.
func curlOption(name, value string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	return fmt.Sprintf(`%s = "%s"`, name, escape.Replace(value))
}

// url returns the address where curl reads the first message, or sends one.
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

// pythonSession logs in by the clients of Python's standard library.
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

// withoutCurlNoise removes all lines of curl's trace but those of the dialogue.
func withoutCurlNoise(trace string) string {
	return regexp.MustCompile(`(?m)^[*{}] .*\n`).ReplaceAllString(trace, "")
}

// said reports whether the server sent this line. "TAG" stands for an IMAP tag.
func (s session) said(line string) bool {
	line = strings.Replace(regexp.QuoteMeta(line), "TAG", `[A-Z]+\d+`, 1)
	return regexp.MustCompile(`(?m)^< ` + line + `\s*$`).MatchString(s.trace)
}

// checkRefused checks that the server refused the login with this line.
func (s session) checkRefused(tb testing.TB, line string) {
	tb.Helper()
	if s.status != loginDenied || !s.said(line) {
		tb.Errorf("exit status %d, want %d and %q; the client's trace:\n%s", s.status, loginDenied, line, s.trace)
	}
}
