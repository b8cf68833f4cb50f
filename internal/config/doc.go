// Package config turns TOML files into the typed values that the other packages use.
//
// # Files
//
// [Load] reads the main file and the files in its include key, which are glob patterns
// relative to it. Servers, domains and users may be spread over the files; each other
// section, such as [listen] or [auth], is in one file. Included files include nothing.
//
// # Many users
//
// A file with a million users takes little more memory than its users do in the end. Its
// user tables are decoded in pieces, on all cores, and then its text is let go. What cannot be cut
// into pieces, such as an inline table of all users, is decoded as a whole, which takes more memory.
//
// [Reload] shares users with the configuration before. A file that has nothing but users is not
// decoded again while it has the same SHA-256 and everything but users is the same in all files,
// because the users depend on domains, on servers and on [auth].
//
// # Errors
//
// Everything is checked at load: a value that could fail at a login fails here, and
// an unknown key is an error. All problems are reported at once, one per line,
//
//	FILE:LINE: key: what is wrong and what would be right
//
// and none of them repeats a value that may be a secret.
//
// # Limits
//
//	MaxFileSize   256 MiB   one file
//	MaxPipeTime   10 s      to read a file that is a pipe
//	MaxErrors     20        reported at once
//
// BurntSushi/toml decodes. It does not say on which line a table is, so package tomledit
// looks that up, and only when there is a problem to report.
package config
