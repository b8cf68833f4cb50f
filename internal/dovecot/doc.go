// Package dovecot knows the words of Dovecot's password databases: the variables of their queries and
// filters, and the fields of their results. So a configuration of Dovecot can be carried over line by line.
//
// # Variables
//
// A [Template] is a text with variables. [ParseTemplate] accepts
//
//	%{user}              the user name, in canonical form
//	%{user | username}   its local part; also %{username}
//	%{user | domain}     its domain; also %{domain}
//	%u, %n, %d           the same three, as Dovecot 2.3 writes them; %Lu is in lower, %Uu in upper case
//	%%                   a percent sign
//
// The filters lower and upper may follow: %{user | domain | upper}. They change ASCII letters only. A user name is
// split at its last "@", as everywhere in mailauthd; Dovecot splits it at the first. Every other variable and filter is
// an error, and so is a single percent sign.
//
// [Template.Bind] makes an SQL query, in which each variable is a bound parameter. So nothing in a user name can change
// the query. Dovecot's own queries have quotes around variables, '%u'. A variable inside of quotes or a comment would not
// be a parameter, and is an error. [Template.Expand] makes an LDAP filter or a DN, with an escape function.
//
// # Fields
//
// [Reader.User] makes a user of the fields that a database returns:
//
//	password           a hash, "{SCHEME}value"; without a scheme it has the default one
//	password_noscheme  a hash in the default scheme, even if it begins with a brace
//	user, username     the name; the domain may be missing
//	domain             the domain of the name
//	allow_nets         addresses and networks, separated by commas or spaces
//	deny_nets          the same, to refuse logins from there; Dovecot has no such field
//	nologin, fail      "y", "yes", "1", "t", "true" or empty: refuse all logins
//	reason             why, for the log
//	host               the mail server
//	destuser           log in to the mail server under this name
//	pass               log in to the mail server with this password
//
// A field that is NULL is absent. nopassword, allow_real_nets, delay_until and noauthenticate are errors if they are not
// NULL, because ignoring them would let in whom Dovecot keeps out. All other fields are ignored, also those that Dovecot
// knows, such as proxy and userdb_quota_rule. [Reader.Meaning] describes what becomes of a field. Names of fields may be
// in any case.
//
// Dovecot takes every value of nologin for yes, also "n". Here such a value is an error, because its author meant no.
//
// Several rows are several passwords of one user. The same password twice counts once. All other fields must be equal in
// all rows, or absent in all. A user with no password at all is returned without one.
//
// # Errors
//
// An error of [Reader.User] names the user and the field. It never contains a value.
//
// The facts are from Dovecot 2.3 and 2.4: auth-request.c, passdb-sql.c, and the page "Password Database Extra Fields" of
// its manual.
package dovecot
