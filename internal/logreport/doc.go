// Package logreport answers from auth.log who failed to log in, and why.
//
// A [Reader] reads files of any format. What it reads goes to [Failed], which counts failed logins by user, by client's
// address, by server or by reason, or to a [History], which keeps the last logins of one user.
//
// # Limits
//
// A log may be larger than memory. These are the limits of what is kept of it:
//
//	MaxRows       100,000   rows of a table
//	MaxKey        256       bytes of a user's name or what else a row is for
//	MaxReasons    64        different reasons; any more are "other"
//	MaxHistory    10,000    logins of one user
//	MaxMinutes    100,000   steps of a plot, which are minutes, or else hours, days or longer
//
// When a table is full, the half of its rows with the fewest failures is added to the others. So a flood of guessed names
// does not hide who fails all the time. If such a name fails again, its count begins anew.
package logreport
