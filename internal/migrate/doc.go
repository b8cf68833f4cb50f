// Package migrate compares the logins that an old script let in with the decisions by a configuration.
//
// # Logs
//
// A [Log] reads logs in the layout of package authlog, by auth.php or by mailauthd. [Log.Report] decides the logins that
// were let in once more by a configuration, except for passwords, clients' addresses and the health of servers. It contacts
// nobody. A [Shadow] sums up the logs of package shadow in the same words.
//
// auth.php writes each line by itself. It logs a reply only of a login that it lets in, and asks the server twice:
//
//	Auth-Method, Auth-User, Auth-Salt, Auth-Protocol, Client-IP, Auth-SSL   within some 100 µs
//	backend_ip, backend_port   if the domain is known
//	Auth reply, empty line     once the server has answered
//	backend_port               right after the first reply
//	Auth reply, empty line     once the server has answered again
//
// So lines of requests that overlap are mixed, and a request that was refused just ends. These rules put lines together:
//
//   - A header line belongs to the request that lacks it and was written to first, within 5 ms.
//   - A reply with a backend_port line right after it is a first one. Any other is a second one, if one is missing. A reply
//     belongs to a request of its protocol.
//   - A backend_port line belongs to a request whose protocol usually has this port.
//   - Of several requests, a first reply belongs to the one that has waited about as long as usual. The usual time is learned
//     from replies for which only one request waits.
//   - A request that has waited for 60 s was refused, because nginx has given up.
//
// If a line could belong to several requests that differ, they are in doubt unless all of them get the same. Requests that
// waited for more than four times as long as usual could not, except for a reply that is not the server's OK. A request in
// doubt that got no reply counts as let in, too. The report has the doubtful ones as ambiguous, unless the same user has
// logged in beyond doubt in the same way.
//
// Memory is bounded by MaxLine, MaxLogins and MaxGroups, and by the number of requests that wait for lines (4096).
package migrate
