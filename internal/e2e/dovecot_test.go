package e2e

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mailauthd/internal/testport"
)

// account is a mailbox at Dovecot. The password may hold any bytes.
type account struct {
	user, password string
}

// dovecot is a running mail server.
type dovecot struct {
	*process         // of the last start
	dir              string
	host             string // 127.0.0.1, or another address of the loopback network
	pop3, imap, smtp int
}

// dovecotMaster is Dovecot's master user, who may log in as any user.
var dovecotMaster = account{"proxy", mark + "-master"}

// greeting is the text of the message that waits in every mailbox.
const greeting = "This message waited in the mailbox."

// startDovecot starts a mail server with the accounts. Its submission server sends messages to relay, a port
// of 127.0.0.1.
func startDovecot(tb testing.TB, relay int, accounts []account) *dovecot {
	tb.Helper()
	d := prepareDovecot(tb, relay, accounts, "")
	d.run(tb)
	return d
}

// prepareDovecot writes the files of a mail server. The settings come after those of dovecot.conf.
func prepareDovecot(tb testing.TB, relay int, accounts []account, settings string) *dovecot {
	tb.Helper()
	d := &dovecot{host: "127.0.0.1", pop3: testport.Free(tb), imap: testport.Free(tb), smtp: testport.Free(tb)}
	d.prepare(tb, relay, accounts, settings)
	return d
}

func (d *dovecot) prepare(tb testing.TB, relay int, accounts []account, settings string) {
	tb.Helper()
	needRoot(tb)
	for _, protocol := range []string{"imap", "pop3", "submission"} {
		login := protocol + "-login"
		if !exists("/usr/lib/dovecot/"+login) && !exists("/usr/libexec/dovecot/"+login) {
			skip(tb, "dovecot's %s server is not installed", protocol)
		}
	}
	uid, gid := nobody(tb)
	d.dir = tempDir(tb)
	config := render(tb, "dovecot.conf", map[string]any{
		"Dir": d.dir, "Host": d.host, "UID": uid, "GID": gid, "Relay": relay,
		"POP3": d.pop3, "IMAP": d.imap, "SMTP": d.smtp,
	})
	writeFile(tb, d.dir, "dovecot.conf", config+settings)
	writeFile(tb, d.dir, "users", passwdFile(accounts))
	writeFile(tb, d.dir, "masters", passwdFile([]account{dovecotMaster}))
	makeMail(tb, filepath.Join(d.dir, "mail"), uid, gid, accounts)
}

// run starts the mail server, for the first time or after it was stopped.
func (d *dovecot) run(tb testing.TB) {
	tb.Helper()
	d.process = start(tb, d.dir, "dovecot", program(tb, "dovecot"), "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	d.logs = append(d.logs, filepath.Join(d.dir, "dovecot.log"))
	for _, port := range []int{d.pop3, d.imap, d.smtp} {
		waitReady(tb, d.process, net.JoinHostPort(d.host, strconv.Itoa(port)))
	}
}

// passwdFile returns a passwd-file. Its passwords are in hex, because they may hold colons and line breaks.
func passwdFile(accounts []account) string {
	var b strings.Builder
	for _, a := range accounts {
		fmt.Fprintf(&b, "%s:{PLAIN.HEX}%s\n", a.user, hex.EncodeToString([]byte(a.password)))
	}
	return b.String()
}

// makeMail puts one message into every mailbox.
func makeMail(tb testing.TB, dir string, uid, gid int, accounts []account) {
	tb.Helper()
	for _, a := range accounts {
		inbox := filepath.Join(dir, a.user, "Maildir", "new")
		if err := os.MkdirAll(inbox, 0o755); err != nil {
			tb.Fatal(err)
		}
		writeFile(tb, inbox, "1.greeting", "Subject: greeting\nTo: "+a.user+"\n\n"+greeting+"\n")
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// nobody returns the numbers of the user that reads mailboxes, because Dovecot refuses to do that as root.
func nobody(tb testing.TB) (uid, gid int) {
	tb.Helper()
	u, err := user.Lookup("nobody")
	if err != nil {
		skip(tb, "no user nobody: %v", err)
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	if errUID != nil || errGID != nil {
		tb.Fatalf("user nobody has ids %q and %q", u.Uid, u.Gid)
	}
	return uid, gid
}
