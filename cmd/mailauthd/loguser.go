package main

import (
	"fmt"
	"strings"

	"mailauthd/internal/logreport"
	"mailauthd/internal/mailaddr"
)

// logUser shows the last logins of a user. There being none is a negative answer.
func logUser(c *call) error {
	path, since, asJSON := c.reportFlags()
	limit := c.flags.Int("limit", 50, "show at most this `number` of logins, the last ones")
	if err := c.parseFiles(1); err != nil {
		return err
	}
	if *limit < 1 || *limit > logreport.MaxHistory {
		return usageError(fmt.Sprintf("-limit: want a number from 1 to %d", logreport.MaxHistory))
	}
	name := c.flags.Arg(0)
	r, err := c.prepareLog(*path, *since, c.flags.Args()[1:])
	if err != nil {
		return err
	}
	if !isMask(name) {
		name = r.canonical(name)
	}
	history := logreport.NewHistory(name, *limit, r.matches(name))
	skipped, err := c.read(r, history.Add)
	if err != nil {
		return err
	}
	report := history.Report(skipped)
	if err := c.printReport(report, *asJSON); err != nil {
		return err
	}
	if !report.Found() {
		return errNo
	}
	return nil
}

func isMask(name string) bool { return strings.ContainsAny(name, "*?") }

// matches returns a function that reports whether a name in the log is that of a user, or matches a mask.
func (r *logReading) matches(user string) func(name string) bool {
	if isMask(user) {
		mask := mailaddr.Mask(user)
		return func(name string) bool { return mask(r.canonical(name)) }
	}
	return func(name string) bool { return r.canonical(name) == user }
}
