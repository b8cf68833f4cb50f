package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether output goes to a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colours reports whether output may have colours: it goes to a terminal that has them, and the user has not set
// NO_COLOR (https://no-color.org).
func colours(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}
