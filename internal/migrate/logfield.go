package migrate

import "mailauthd/internal/authlog"

// field is what a line of the log holds. The order is that in which a request's lines are written.
type field int

const (
	methodField   = field(authlog.FieldMethod)
	userField     = field(authlog.FieldUser)
	saltField     = field(authlog.FieldSalt)
	protocolField = field(authlog.FieldProtocol)
	clientField   = field(authlog.FieldClient)
	sslField      = field(authlog.FieldSSL)
	backendField  = field(authlog.FieldBackend)
	portField     = field(authlog.FieldPort)
	replyField    = field(authlog.FieldReply)
	statusField   = field(authlog.FieldStatus)
	otherField    = field(authlog.FieldReason) // nothing that is compared: Reason, and what variants of the script add
	numFields     = int(otherField)
)

func fieldOf(l *authlog.Line) field { return min(field(l.Field), otherField) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
