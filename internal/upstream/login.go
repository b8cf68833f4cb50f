package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// ErrRejected wraps the reply of a server that judged the password, and refused it.
var ErrRejected = errors.New("login refused")

// Default deadlines. Both stay under the 60 s after which nginx gives up on us.
const (
	ConnectTimeout = 5 * time.Second
	Timeout        = 20 * time.Second
)

// Server is where and how a password is checked.
type Server struct {
	Protocol       string // "imap", "pop3" or "smtp"
	Addr           netip.AddrPort
	ConnectTimeout time.Duration
	Timeout        time.Duration     // of the whole login
	Trace          func(line string) // if set, sees the dialogue without its secrets
}

// Login checks a password in one dialogue with the server. Without an error the
// password is right, and reply is the line that said so. Neither name nor
// password may hold CR, LF or NUL; here they would be encoded all the same.
func (s Server) Login(ctx context.Context, user, password string) (reply string, err error) {
	run, ok := dialogues[s.Protocol]
	if !ok {
		return "", fmt.Errorf("no dialogue for protocol %q", s.Protocol)
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	dialer := net.Dialer{Timeout: s.ConnectTimeout}
	nc, err := dialer.DialContext(ctx, "tcp", s.Addr.String())
	if err != nil {
		return "", fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	// Past its deadline, or when nobody waits for the answer any more, no
	// read or write blocks.
	defer context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })()
	reply, err = run(newConn(nc, s.Trace), user, password)
	if err != nil && ctx.Err() != nil {
		return "", fmt.Errorf("given up (%w): %w", context.Cause(ctx), err)
	}
	return reply, err
}

// dialogues are the logins by protocol, from greeting to goodbye.
var dialogues = map[string]func(c *conn, user, password string) (reply string, err error){
	"imap": loginIMAP,
	"pop3": loginPOP3,
	"smtp": loginSMTP,
}
