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

// Limits of [ReadPasswdFile], which a caller can set others for.
const (
	MaxPasswdLine  = 8192      // bytes
	MaxPasswdLines = 1_000_000 // with comments
)

// PasswdLimits bound what is read; what is 0 stands for the limit's default.
type PasswdLimits struct{ Line, Lines int }

// Entry is one user of another program's list.
type Entry struct {
	Line     int
	Name     string // as written
	Password string // "{SCHEME}value", or a hash that begins with "$"

	AllowNets        []string // allow_nets: addresses and nets
	NoLogin          bool     // nologin, or fail
	Reason           string   // reason
	Login            string   // destuser
	UpstreamPassword string   // pass
	Host             string   // host: only to be reported, for servers are named elsewhere

	Dropped []string // the names of extra fields that there is no key for
}

// String keeps passwords out of anything that is printed.
func (e Entry) String() string { return fmt.Sprintf("line %d: user %q", e.Line, e.Name) }

// GoString is for %#v.
func (e Entry) GoString() string { return e.String() }

// LineError is what is wrong with one line.
type LineError struct {
	Line int
	What string
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// ReadPasswdFile reads a Dovecot passwd-file,
//
//	user:password:uid:gid:(gecos):home:(shell):extra_fields
//
// of which only user and password need be there, so that it reads Apache's htpasswd
// and /etc/shadow as well. Empty lines and those that begin with "#" are skipped.
// https://doc.dovecot.org/2.4.0/core/config/auth/databases/passwd_file.html
// describes the fields, Dovecot's db-passwd-file.c and auth-request-fields.c decide them.
//
// A password without a scheme is taken for {DES-CRYPT} if it can be one; libpam-pwdfile's
// "hash[13]" is DES-CRYPT too, "[34]" PLAIN-MD5 and "[56]" DIGEST-MD5. A field that
// narrows who may log in, and cannot be kept as it is, is an error: allow_real_nets,
// delay_until, or "%" variables in allow_nets. So is nopassword, with which everybody
// may. Of what uid, gid, home and shell say nothing is kept.
//
// What is wrong with a line is in the list of problems, and the line is not among the
// entries; nothing there or in Dropped repeats a value. The error is one of reading, or
// of too many lines.
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

// readLine returns a line without its end, and whether that was all of it. The rest of
// a line that is too long for the reader is skipped. At the end of the input the
// error is io.EOF; there may be a line even so.
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
	seen     map[string]int // the line of a name, in the one spelling
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
		err = p.twin(n, e.Name)
	}
	if err != nil {
		p.problem(n, err)
		return
	}
	e.Line = n
	p.entries = append(p.entries, e)
}

// twin refuses a name that was there before: of two entries Dovecot takes the first.
func (p *passwdReader) twin(n int, name string) error {
	if one, err := mailaddr.User(name); err == nil {
		name = one
	}
	if first := p.seen[name]; first > 0 {
		return fmt.Errorf("the same user as in line %d", first)
	}
	p.seen[name] = n
	return nil
}

// extraField is where the extra fields begin; a line of the old format, up to Dovecot
// 1.0, has nothing there and a mail location after it.
const extraField = 7

func parseEntry(line string) (Entry, error) {
	if !utf8.ValidString(line) {
		return Entry{}, errors.New("not UTF-8: TOML cannot hold it")
	}
	if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
		return Entry{}, errors.New("a control character")
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
			return e, fmt.Errorf("what looks like an extra field stands in field %d, where Dovecot ignores it: extra fields are the %dth", i+3, extraField+1)
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

// withScheme gives a password the scheme that it has in the place where it comes from.
func withScheme(s string) (string, error) {
	bare, kind := s, ""
	if n := len(s) - len("[00]"); n > 0 && s[n] == '[' && s[len(s)-1] == ']' {
		bare, kind = s[:n], s[n:]
	}
	switch {
	case s == "":
		return "", errors.New("has no password")
	case s[0] == '!' || s[0] == '*':
		return "", errors.New("the password is locked (it begins with ! or *): add the user with nologin if the name is to be kept")
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
