package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// errClosed is the error of a read at the end of the connection.
var errClosed = errors.New("server closed the connection")

// noGreeting is the error of a server that does not send a good greeting, such as 421 or BYE.
type noGreeting struct{ error }

func (e noGreeting) Unwrap() error { return e.error }

// sentError is the error of a login that has begun, if only with the name of a mechanism. The client
// may have caused the error, with what it sent or with earlier failures. So it says nothing about other logins.
type sentError struct{ error }

func (e sentError) Unwrap() error { return e.error }

// Unreachable reports whether an error of a login means that the server cannot be asked, so that
// another one may be. The server refused the connection, did not greet, did not answer in time,
// closed the connection, or has no valid certificate. An answer of any kind is not such an error.
// Neither is a failure after the login has begun: Dovecot, for example, delays its challenge after
// failed logins.
func Unreachable(err error) bool {
	if _, sent := errors.AsType[sentError](err); sent || errors.Is(err, ErrBusy) {
		return false
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unwilling noGreeting
	for _, is := range []error{errClosed, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded} {
		if errors.Is(err, is) {
			return true
		}
	}
	return errors.As(err, &network) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &unwilling)
}

// Starved reports whether a login failed because this machine has run out of file descriptors,
// memory or local ports. That says nothing about the server.
func Starved(err error) bool {
	for _, is := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}
