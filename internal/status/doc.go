// Package status has the figures that a person wants to see of the running service, and shows them: as text, JSON and
// HTML. For programs there are the metrics of package server.
//
// A [Recorder] counts the logins. A [Snapshot] has all figures of one moment, and is filled by package server.
//
//	[Snapshot.WriteText]   "name: value" lines, as PHP-FPM's status page has
//	[Snapshot.WriteJSON]   the same names and values
//	[Snapshot.WriteHTML]   a page without foreign parts, which needs no script
//
// A figure that means the same as one of PHP-FPM has its name, such as "start since" and "listen queue". Durations are
// in seconds, sizes in bytes, and times in JSON are in seconds since 1970.
//
// # Names
//
// A snapshot has user names and addresses of clients: of the last logins that failed, and of what the throttle holds
// back. [Snapshot.Mask] leaves "b…@domain1.com" of bob@domain1.com, and "192.0.2.x" of 192.0.2.7. It hides the domain
// as well, unless that is a configured one, because some people type their password where the name belongs.
//
// # Periods
//
// The last minute is the last 60 full seconds and the present one. The last hour and the last day are counted by the
// minute in the same way. Quantiles are those of a histogram whose steps are 41 % wide.
//
// # Limits
//
// The memory of a recorder depends neither on the traffic nor on what clients send:
//
//	Seconds      61      intervals of the last minute
//	Minutes      1,441   intervals of the last day, about 290 bytes each
//	MaxRecent    50      last logins that failed, whose texts are cut
//	MaxName      128     bytes of a user name or an address of these
//	MaxError     256     bytes of an error
//	PlotMinutes  180     minutes in the picture
//
// In all that is less than half a MiB.
package status
