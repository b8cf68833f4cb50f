// Package phpscript reads a PHP script such as auth.php, and makes the configuration that takes its place.
//
// [Convert] makes a configuration of a PHP script that answers nginx. It knows enough of PHP to follow such scripts: functions,
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
// Everything that a script can make long has a limit: MaxScript, and those in run.go and explore.go. A script beyond a
// limit is told by line.
package phpscript
