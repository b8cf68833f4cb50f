// Package authhttp implements the auth_http protocol, which nginx's mail proxy speaks to
// its authentication service. [ReadRequest] makes a [Request] from nginx's headers, and
// [Response.WriteHeader] makes the headers that nginx reads. The protocol is defined by
// src/mail/ngx_mail_auth_http_module.c in nginx. The package decides nothing: callers
// choose who may log in.
//
// # Request
//
// nginx sends a GET request without a body. The user name, the password and the client
// certificate are percent-escaped. They are unescaped once, to bytes. A "+" is a plus
// sign, and an invalid escape such as "%zz" stays as it is. All other headers are taken
// unchanged.
//
// A request is refused if nginx would never send it, or if it holds what no mail server may
// be given. That is: no method or protocol; a repeated header; a NUL, CR or LF in the user
// name or password; a value over its limit. An empty user name or password is allowed.
//
// # Response
//
// nginx ignores the status line and the body, and unescapes nothing. So a value with CR,
// LF or NUL cannot be sent, and spaces around a value are lost. nginx reads the whole
// response head into one buffer of 1024 bytes. A response must leave room there for the
// headers that a web server in between adds; [Response.Validate] refuses one that does not.
//
// # Limits
//
//	MaxUser      512 bytes   user name, unescaped (RFC 5321: 64 + 1 + 255)
//	MaxPassword  1024 bytes  password, unescaped; SHA-crypt's cost grows with it
//	MaxHead      600 bytes   all our response headers together
package authhttp
