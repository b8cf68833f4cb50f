// Package tomledit changes single keys and tables of a TOML document, and keeps every other
// byte of it. So comments, order, blank lines, indentation, CRLF line ends, a byte order mark
// and a missing newline at the end of the file are unchanged.
//
// # Functions
//
//	[Set]     replaces the value of a key. A new key is added below the last key of its
//	          table, with the same indentation. A new table is added at the end of the
//	          document, after a blank line.
//	[Unset]   removes a key with its lines.
//	[Append]  adds new tables at the end of the document.
//	[Delete]  removes a table with its subtables: their headers, their keys, the comments
//	          between them, the comment lines directly above a header, and the comment
//	          lines directly below the last key, unless they are directly above another
//	          header. Blank lines around the table are kept.
//	[Lines]   returns the line number of a key.
//	[Cut]     cuts the tables of one section out of a large document, so that it can be
//	          decoded in pieces.
//
// A table may be written with a header, with dotted keys ("a@b".password = "x") or
// inline ("a@b" = { password = "x" }). A new key is written in the form that its table has
// already. Keys are given as their parts, without quotes. Values are given as TOML literals;
// [Quote] makes one from a string.
//
// # Safety
//
// The parser of pelletier/go-toml finds where values begin and end. The edited document is
// then decoded with BurntSushi/toml, like the configuration. Its content must be the old
// content with exactly the requested change; otherwise the edit returns an error and no
// document. This check takes most of the time of an edit, about 40 µs for each table in the
// document.
//
// # Errors
//
// An [Error] has the line that cannot be edited, and says what to do by hand. Arrays of
// tables cannot be edited. Nor can an array or inline table if a comment between its elements
// would be lost. Errors contain keys but no values, because values may be secrets.
package tomledit
