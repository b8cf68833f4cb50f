package main

import (
	"mailauthd/internal/config"
	"mailauthd/internal/migrate"
)

// sumUpShadow sums up the shadow log.
func sumUpShadow(c *call) error {
	path, since, asJSON := c.reportFlags()
	if err := c.parseFiles(); err != nil {
		return err
	}
	cfg, _, from, err := c.loadReport(*path, *since)
	if err != nil {
		return err
	}
	files := c.flags.Args()
	if len(files) == 0 {
		if files, err = shadowLogs(cfg); err != nil {
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

// shadowLogs returns the shadow log that the configuration names.
func shadowLogs(cfg *config.Config) ([]string, error) {
	if cfg.Shadow == nil {
		return nil, usageError("the configuration has no [shadow]: want one or more shadow logs, or - for standard input")
	}
	return []string{cfg.Shadow.Log}, nil
}
