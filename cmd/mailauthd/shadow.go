package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"mailauthd/internal/config"
	"mailauthd/internal/migrate"
)

// sumUpShadow sums up the shadow log.
func sumUpShadow(c *call) error {
	path, since, asJSON := c.reportFlags()
	if err := c.parseFiles(0); err != nil {
		return err
	}
	cfg, _, from, err := c.loadReport(*path, *since)
	if err != nil {
		return err
	}
	files := c.flags.Args()
	if len(files) == 0 {
		if files, err = c.shadowLogs(cfg); err != nil {
			return err
		}
	}
	sum := migrate.NewShadow(from, cfg)
	if err := c.eachFile(files, sum.Read); err != nil {
		return err
	}
	report := sum.Report()
	if err := c.printReport(report, *asJSON); err != nil {
		return err
	}
	if report.Differs() {
		return errNo
	}
	return nil
}

// shadowLogs returns the shadow log that the configuration names. There is no such file before the first difference.
func (c *call) shadowLogs(cfg *config.Config) ([]string, error) {
	if cfg.Shadow == nil {
		return nil, usageError("the configuration has no [shadow]: want one or more shadow logs, or - for standard input")
	}
	log := cfg.Shadow.Log
	if _, err := os.Stat(log); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(c.stderr, "%s: no difference has been logged yet; the metric mailauthd_shadow_requests_total says how many requests were compared\n", log)
		return nil, nil
	}
	return []string{log}, nil
}
