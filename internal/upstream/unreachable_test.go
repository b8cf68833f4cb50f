package upstream

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := Server{Protocol: "imap", Addr: netip.MustParseAddrPort(l.Addr().String()), ConnectTimeout: time.Minute, Timeout: time.Minute}
	l.Close()
	if _, err := closed.Login(t.Context(), "user", "password"); !Unreachable(err) {
		t.Errorf("refused connection: %v", err)
	}
	for _, err := range []error{ErrRejected, ErrBusy, errors.New("454 4.7.0 try later"), nil} {
		if Unreachable(err) {
			t.Errorf("%v is no answer", err)
		}
	}
}

func TestStarved(t *testing.T) {
	for err, want := range map[syscall.Errno]bool{
		syscall.EMFILE: true, syscall.ENFILE: true, syscall.EADDRNOTAVAIL: true,
		syscall.ECONNREFUSED: false, syscall.ECONNRESET: false, syscall.EHOSTUNREACH: false, syscall.ETIMEDOUT: false,
	} {
		dial := fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", err)})
		if got := Starved(dial); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// A server without a valid certificate is unreachable, by CAs or by fingerprint.
func TestUnknownServerIsUnreachable(t *testing.T) {
	for name, tls := range map[string]TLS{
		"authority":   {CAs: x509.NewCertPool()},
		"fingerprint": {Fingerprint: Fingerprint{1}},
	} {
		s := serverOn("imap implicit", longTimeout)
		tls.Mode = s.TLS.Mode
		s.TLS = tls
		_, _, err := loginTo(t, t.Context(), s, script("imap implicit", "tls", refusedHandshake(known().cert))...)
		if !Unreachable(err) {
			t.Errorf("by %s: %v is an answer", name, err)
		}
	}
}

// A server whose greeting refuses the client is unreachable.
func TestUnwillingServerIsUnreachable(t *testing.T) {
	for protocol, greeting := range map[string]string{
		"smtp": "421 4.3.2 Service not available\r\n", "imap": "* BYE shutting down\r\n", "pop3": "-ERR too many connections\r\n",
	} {
		f := newMultiServer(t, func(int) []step { return []step{say(greeting), hangUp} })
		if _, err := f.server(protocol).Login(t.Context(), user, password); !Unreachable(err) || errors.Is(err, ErrRejected) {
			t.Errorf("%q: %v", greeting, err)
		}
	}
}
