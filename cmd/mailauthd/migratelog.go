package main

import (
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/migrate"
)

// migrateLog compares the logins in old logs with the decisions by the configuration. It contacts nobody.
func migrateLog(c *call) error {
	path, since, asJSON := c.reportFlags()
	if err := c.parseFiles(0); err != nil {
		return err
	}
	if c.flags.NArg() == 0 {
		return usageError("want one or more logs of auth.php, or - for standard input")
	}
	cfg, zone, from, err := c.loadReport(*path, *since)
	if err != nil {
		return err
	}
	limitMemory()
	log := migrate.NewLog(from, zone)
	if err := c.eachFile(c.flags.Args(), log.Read); err != nil {
		return err
	}
	report := log.Report(cfg)
	if err := c.printReport(report, *asJSON); err != nil {
		return err
	}
	if report.Differs() {
		return errNo
	}
	return nil
}

// loadReport loads the configuration, and reads the time of -since in the time zone of the log.
func (c *call) loadReport(path, since string) (cfg *config.Config, zone *time.Location, from time.Time, err error) {
	if cfg, err = config.Load(path); err != nil {
		return nil, nil, from, withHint(err)
	}
	if zone, err = authlog.Zone(cfg.Log.Timezone); err == nil {
		from, err = sinceTime(since, zone, time.Now())
	}
	return cfg, zone, from, err
}
