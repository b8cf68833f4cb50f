// Package tomledit changes single keys and tables of a TOML document and leaves every
// other byte of it alone: comments, order, blank lines, indentation, CRLF line
// ends, a missing newline at the end of the file, a byte order mark.
//
// # What is edited where
//
//	[Set]     replaces the bytes of a value. A new key goes below the last key of its
//	          table, indented as that one is; a table that is missing goes to the end of
//	          the file, after a blank line.
//	[Unset]   removes a key with the lines that it stands on.
//	[Append]  puts whole new tables at the end of the file, all at once.
//	[Delete]  removes a table with its subtables: their headers, keys and the comments
//	          between them, the comment lines directly above a header, and those
//	          directly below the last key unless they are directly above another
//	          header. Blank lines around the table stay.
//	[Lines]   tells on which line a key stands.
//
// A table may be written with a header, with dotted keys ("a@b".password = "x") or
// inline ("a@b" = { password = "x" }); what is there already is followed. Keys are
// given as their parts, without quotes; values are TOML literals, which [Quote]
// makes of a string.
//
// # Safety
//
// Where values begin and end is told by the parser of pelletier/go-toml. What came out
// is then decoded with BurntSushi/toml, as the configuration is, and must be the old
// content with exactly that change; otherwise nothing is returned but an error. That
// decoding is the price of an edit: about 40 µs for each table in the document.
//
// # Errors
//
// An [Error] has the line of what cannot be edited and says what to do by hand:
// this is so for arrays of tables, and where a comment between the elements of an array or
// of an inline table would be lost. Errors name keys and never values, which may be secrets.
package tomledit
