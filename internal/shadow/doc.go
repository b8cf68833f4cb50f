// Package shadow compares the answers of two authentication services to the same requests: ours, and those of the
// script that is to be replaced.
//
// # The script
//
// [Script.Ask] sends the script the headers that nginx sent, byte for byte, in a GET request of its own connection. It
// leaves out the headers of the connection to us, such as Connection and Content-Length, and adds [Header]. There is no
// retry, no redirect and no proxy. Of the answer only the headers that nginx reads count, as for nginx: neither the
// status line nor the body. An answer that nginx could not use is no answer: a server that is no IP address, a header
// twice, the Auth-Status "WAIT" or an empty one, a value that [authhttp.Response.Validate] refuses. Neither is a response
// whose head is larger than [MaxHead], or one that comes too late.
//
// A request that has come back to us has [Header]. It is a temporary failure, and our response has the header as well,
// so that the service that asked knows. A client that can inject headers into nginx's requests can add it, and gets a
// temporary failure itself: nobody else is affected.
//
// # Who answers nginx
//
//	theirs  The script's answer goes to nginx. Then our own decision is made, in the background.
//	        If the script gives no answer, nginx is told of a temporary failure.
//	ours    Our answer goes to nginx. The script is asked in the background.
//
// auth.log and the login metrics have the answer that nginx gets. A refusal of the script has the reason
// [authlog.Script], because the script does not say why.
//
// At most [Config].MaxRequests comparisons are in progress. Any further request is answered but not compared. With
// "theirs" at most as many requests are at the script, and others wait until their [Config].Timeout ends. Neither the
// end of nginx's connection nor a reload ends a comparison. A shutdown waits for comparisons for a while.
//
// # Differences
//
// The answers differ if nginx acts differently: by outcome, or after two times "ok" by server, port, user name or
// password at the server. Each [Difference] is one line of JSON, and one write. Values are made printable by
// [authlog.Escape]. There is no password, no salt and no hash in it: of two passwords it only says that they differ.
//
// The script's outcome is "ok" for the Auth-Status OK, "tempfail" if there is no answer, and else "reject". A script
// such as auth.php also rejects a login while the mail server cannot be reached. Ours is "tempfail" then, which is a
// difference. While the script gives no answer, one line a minute for each cause is written, and all are counted.
package shadow
