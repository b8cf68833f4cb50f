package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"mailauthd/internal/logreport"
)

// jsonColumns is the largest number of steps of a plot in JSON.
const jsonColumns = 200

// logFailed counts failed logins.
func logFailed(c *call) error {
	path, since, asJSON := c.reportFlags()
	by := c.flags.String("by", "user", "count by `what`: "+strings.Join(logreport.Keys, ", "))
	plot := c.flags.Bool("plot", false, "also show when the logins failed")
	limit := c.flags.Int("limit", 20, "print at most this `number` of rows; 0: all")
	if err := c.parseFiles(0); err != nil {
		return err
	}
	if !slices.Contains(logreport.Keys, *by) {
		return usageError(fmt.Sprintf("-by: unknown %q, want one of %s", *by, strings.Join(logreport.Keys, ", ")))
	}
	if *limit < 0 {
		return usageError("-limit: want a number of rows, or 0 for all")
	}
	r, err := c.prepareLog(*path, *since, c.flags.Args())
	if err != nil {
		return err
	}
	failed := logreport.NewFailed(*by, r.zone, r.canonical)
	skipped, err := c.read(r, failed.Add)
	if err != nil {
		return err
	}
	report := failed.Report(*limit, skipped)
	if *plot && *asJSON {
		report.Timeline, _ = failed.Plot().Buckets(jsonColumns)
	} else if *plot {
		failed.Plot().Write(c.stdout, "failed logins", c.style())
		fmt.Fprintln(c.stdout)
	}
	return c.printReport(report, *asJSON)
}

// style finds out what standard output can show.
func (c *call) style() logreport.Style {
	s := logreport.Style{Width: 80, ASCII: !isUTF8Locale()}
	s.Color = colours(c.stdout)
	if out, ok := c.stdout.(*os.File); ok {
		if width, _, err := term.GetSize(int(out.Fd())); err == nil && width > 0 {
			s.Width = width
		}
	}
	return s
}

// isUTF8Locale reports whether the terminal shows UTF-8, as POSIX says: the first of these variables that is set counts.
func isUTF8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(os.Getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
