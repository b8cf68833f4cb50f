package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// errClosed is what a read finds where an answer should be.
var errClosed = errors.New("server closed the connection")

// noGreeting is the error of a server that does not begin the dialogue: 421, BYE, or anything else.
type noGreeting struct{ error }

func (e noGreeting) Unwrap() error { return e.error }

// sentError is the error of a login that has begun, if only by the name of a mechanism. A client may have
// caused it, by what it sent or by earlier failures that the server answers more slowly each time. So it says
// nothing of other logins.
type sentError struct{ error }

func (e sentError) Unwrap() error { return e.error }

// Unreachable reports whether an error of a login means that the server cannot be asked: it refused
// the connection, did not greet, did not answer in time, broke off, or could not show who it is. Then
// another server may be asked. An answer of any kind is none of these, and neither is a failure
// after the login has begun: Dovecot, for one, delays its challenge after failed logins.
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

// Starved reports whether a login failed for want of something on this machine: file
// descriptors, memory, local ports. That says nothing about the server.
func Starved(err error) bool {
	for _, is := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}
