// Package config turns TOML files into the typed values that the other packages work with.
//
// # Files
//
// [Load] reads one file and those that its include key names, glob patterns
// relative to it. Servers, domains and users may be spread over the files; each of
// [listen], [auth] and [log] stands in one file only. Included files include nothing.
//
// # Errors
//
// Everything is checked at load: a value that could fail at a login fails here, and
// an unknown key is an error. All that is wrong is reported at once, a line each,
//
//	FILE:LINE: key: what is wrong and what would be right
//
// and no value is ever repeated in it, for it may be a secret.
//
// # Limits
//
//	MaxFileSize   256 MiB   one file
//	MaxPipeTime   10 s      to read one that is a pipe
//	MaxErrors     20        reported at once
//
// BurntSushi/toml decodes. It does not tell where a table stands, so that is looked
// up with package tomledit, only when something is wrong.
package config
