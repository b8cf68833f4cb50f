// Package migrate reads what a deployment of auth.php leaves behind: the script, and its log.
//
// # Scripts
//
// [PHP] makes a configuration of a PHP script that answers nginx. It knows enough of PHP to follow such scripts: functions,
// arrays, loops, the functions on texts, and regular expressions that look at the end of a name. Classes are not read.
//
// The script is followed with user names of which the domain is given and the local part is not: a text such as "…@a.example",
// whose end can be compared. The first domain is one that no script knows. Whatever the script compares a part of the name
// with is a domain to follow it with next, until there are no more. So each domain goes where the script sends it, whatever
// the order of conditions, and not where one condition seems to say.
//
// What is unknown has a reason, and the greatest of several reasons counts:
//
//	the password, programs, answers of mail servers   decide about a login, and not about the map
//	databases, directories, files                     are told, because mailauthd asks the mail server
//	the local part, time, chance, other headers,
//	included files, and what is not understood        are told, and the domain becomes a comment
//
// At a condition on something unknown the script is followed both ways. If that makes no difference in the end, the condition
// does not count. A loop whose end is unknown is followed for two rounds; what it sets is unknown then.
//
// Everything that a script can make long has a limit: MaxScript, and those in phprun.go and phpexplore.go. A script beyond a
// limit is told by line.
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
