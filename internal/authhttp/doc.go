// Package authhttp is the wire between nginx's mail proxy and its authentication
// service: a [Request] is what nginx's headers say, a [Response] becomes the headers
// that nginx reads. The source is src/mail/ngx_mail_auth_http_module.c. The package
// knows no policy: it does not decide who may log in.
//
// # Request
//
// One GET without a body. User name, password and client certificate arrive
// percent-escaped and are unescaped once, to bytes; "+" is a plus, and an escape
// that is none ("%zz") stands for itself. Everything else is taken as it comes.
// What nginx itself would never send, and what no mail server may be given, is
// an error: no method or protocol, a repeated header, a NUL, CR or LF in a user name
// or password, a value over its limit. An empty user name or password is not.
//
// # Response
//
// nginx ignores the status line and the body, and unescapes nothing: a value
// with CR, LF or NUL cannot be sent, and spaces at its ends are lost. nginx reads the
// whole response head into one buffer of 1024 bytes, so a response that does not leave
// room for what a web server between adds is an error as well.
//
// # Limits
//
//	MaxUser      512 bytes   user name, unescaped (RFC 5321: 64 + 1 + 255)
//	MaxPassword  1024 bytes  password, unescaped; SHA-crypt's cost grows with it
//	MaxHead      600 bytes   all our response headers together
package authhttp
