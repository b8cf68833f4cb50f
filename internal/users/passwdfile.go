package users

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"mailauthd/internal/mailaddr"
)

// The default limits of [ReadPasswdFile].
const (
	MaxPasswdLine  = 8192      // the largest length of a line in bytes
	MaxPasswdLines = 1_000_000 // the largest number of lines, including comments
)

// PasswdLimits are the largest length of a line in bytes, and the largest number of lines. A limit
// of 0 is the default.
type PasswdLimits struct{ Line, Lines int }

// Entry is a user in the file of another program.
type Entry struct {
	Line     int
	Name     string // as written, not in canonical form
	Password string // "{SCHEME}value", or a hash that begins with "$"

	AllowNets        []string // allow_nets: addresses and networks
	NoLogin          bool     // nologin or fail
	Reason           string   // reason
	Login            string   // destuser
	UpstreamPassword string   // pass
	Host             string   // host: only for a report, because servers are configured elsewhere

	Dropped []string // the names of the extra fields that are not supported
}

// String returns the line and the name only, so that no password is printed by accident.
func (e Entry) String() string { return fmt.Sprintf("line %d: user %q", e.Line, e.Name) }

// GoString is like String, for the verb %#v.
func (e Entry) GoString() string { return e.String() }

// LineError is the problem of one line.
type LineError struct {
	Line int
	What string
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// ReadPasswdFile reads a Dovecot passwd-file,
//
//	user:password:uid:gid:(gecos):home:(shell):extra_fields
//
// Only user and password are required, so that it also reads Apache's htpasswd files and
// /etc/shadow. Empty lines and lines that begin with "#" are skipped. The fields are described in
// https://doc.dovecot.org/2.4.0/core/config/auth/databases/passwd_file.html
// and implemented by Dovecot's db-passwd-file.c and auth-request-fields.c.
//
// A password without a scheme is taken for {DES-CRYPT} if it has that format. As in
// libpam-pwdfile, "hash[13]" is DES-CRYPT, "hash[34]" is PLAIN-MD5 and "hash[56]" is
// DIGEST-MD5. The fields uid, gid, home and shell are ignored.
//
// A line is a problem if it restricts logins in a way that is not supported here:
// allow_real_nets, delay_until, or "%" variables in allow_nets. So is a line with nopassword,
// because it would let everybody log in.
//
// ReadPasswdFile returns the problems separately. A line with a problem has no entry. Neither
// the problems nor Dropped contain a value. The error is not nil if reading fails, or if there
// are too many lines.
func ReadPasswdFile(r io.Reader, limits PasswdLimits) ([]Entry, []LineError, error) {
	if limits.Line <= 0 {
		limits.Line = MaxPasswdLine
	}
	if limits.Lines <= 0 {
		limits.Lines = MaxPasswdLines
	}
	p := passwdReader{seen: make(map[string]int)}
	in := bufio.NewReaderSize(r, limits.Line+len("\r\n"))
	for n := 1; ; n++ {
		line, whole, err := readLine(in)
		switch {
		case err != nil && err != io.EOF:
			return nil, nil, fmt.Errorf("line %d: %w", n, err)
		case err == io.EOF && len(line) == 0 && whole:
			return p.entries, p.problems, nil
		case n > limits.Lines:
			return nil, nil, fmt.Errorf("more than %d lines", limits.Lines)
		case !whole || len(line) > limits.Line:
			p.problem(n, fmt.Errorf("longer than %d bytes", limits.Line))
		default:
			p.line(n, line)
		}
	}
}

// readLine returns a line without its end, and reports whether it is whole. It skips a line that
// is too long for the reader. At the end of the input the error is io.EOF, and there may
// still be a line.
func readLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		line, _ = bytes.CutSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), true, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	return nil, false, err
}

type passwdReader struct {
	entries  []Entry
	problems []LineError
	seen     map[string]int // the line of each name in canonical form
}

func (p *passwdReader) problem(line int, err error) {
	p.problems = append(p.problems, LineError{Line: line, What: err.Error()})
}

func (p *passwdReader) line(n int, line []byte) {
	if text := bytes.TrimSpace(line); len(text) == 0 || text[0] == '#' {
		return
	}
	e, err := parseEntry(string(line))
	if err == nil {
		err = p.checkDuplicate(n, e.Name)
	}
	if err != nil {
		p.problem(n, err)
		return
	}
	e.Line = n
	p.entries = append(p.entries, e)
}

// checkDuplicate refuses a name that an earlier line has. Dovecot uses the first of the two.
func (p *passwdReader) checkDuplicate(n int, name string) error {
	if canonical, err := mailaddr.User(name); err == nil {
		name = canonical
	}
	if first := p.seen[name]; first > 0 {
		return fmt.Errorf("the same user as in line %d", first)
	}
	p.seen[name] = n
	return nil
}

// extraField is the index of the extra fields. A line in the old format, up to Dovecot 1.0, has
// an empty field there and a mail location after it.
const extraField = 7

func parseEntry(line string) (Entry, error) {
	if !utf8.ValidString(line) {
		return Entry{}, errors.New("not UTF-8: TOML cannot hold it")
	}
	if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
		return Entry{}, errors.New("contains a control character")
	}
	fields := strings.SplitN(line, ":", extraField+1)
	e := Entry{Name: fields[0]}
	if err := checkName(e.Name); err != nil {
		return e, err
	}
	if len(fields) == 1 {
		return e, errors.New("has no password: want user:password")
	}
	var err error
	if e.Password, err = withScheme(fields[1]); err != nil {
		return e, err
	}
	for i, f := range fields[2:min(len(fields), extraField)] {
		if holdsExtraFields(f) {
			return e, fmt.Errorf("field %d looks like an extra field, and Dovecot ignores it there: move it to field %d", i+3, extraField+1)
		}
	}
	if len(fields) > extraField {
		return e, e.readExtra(fields[extraField])
	}
	return e, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("has no user name")
	case strings.TrimSpace(name) != name:
		return errors.New("spaces around the user name")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("the user name holds a character that cannot be printed")
	}
	return nil
}

// withScheme returns a password with the scheme that the program which wrote the file uses for it.
func withScheme(s string) (string, error) {
	bare, kind := s, ""
	if n := len(s) - len("[00]"); n > 0 && s[n] == '[' && s[len(s)-1] == ']' {
		bare, kind = s[:n], s[n:]
	}
	switch {
	case s == "":
		return "", errors.New("has no password")
	case s[0] == '!' || s[0] == '*':
		return "", errors.New("the password is locked (it begins with ! or *): to keep the name, add the user with nologin")
	case s[0] == '{':
		if name, _, ok := strings.Cut(s[1:], "}"); !ok || name == "" || strings.Trim(name, schemeLetters) != "" {
			return "", errors.New("the password has no scheme after its brace: want {SCHEME}value")
		}
		return s, nil
	case s[0] == '$':
		return s, nil
	case (kind == "" || kind == "[13]") && len(bare) == 13 && strings.Trim(bare, cryptLetters) == "":
		return "{DES-CRYPT}" + bare, nil
	case kind == "[34]" && isMD5(bare):
		return "{PLAIN-MD5}" + bare, nil
	case kind == "[56]" && isMD5(bare):
		return "{DIGEST-MD5}" + bare, nil
	}
	return "", errors.New("the password has no scheme and is no hash of crypt(3): a bare word is never taken for cleartext")
}

const (
	schemeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	cryptLetters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./"
)

func isMD5(s string) bool { return len(s) == 32 && strings.Trim(s, "0123456789abcdefABCDEF") == "" }
