package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"mailauthd/internal/logfile"
	"mailauthd/internal/logreport"
)

// logMemory is how much memory the commands that read long logs try to do with.
const logMemory = 80 << 20

// limitMemory keeps the garbage collector from taking twice what is used.
func limitMemory() { debug.SetMemoryLimit(min(debug.SetMemoryLimit(-1), logMemory)) }

// reportFlags defines the flags of the commands that sum up a log.
func (c *call) reportFlags() (path, since *string, asJSON *bool) {
	flags := c.newFlags()
	path = c.configFlag()
	since = flags.String("since", "", sinceUsage)
	return path, since, flags.Bool("json", false, "print JSON")
}

// parseFiles reads the flags. At least so many arguments must follow them.
func (c *call) parseFiles(least int) error { return c.parseBetween(least, math.MaxInt) }

const sinceUsage = "leave out what was before this `time`, such as 2026-01-31 or 2026-01-31T15:04, or longer ago than 2h or 3d"

// sinceTime reads the value of -since. An empty one is the zero time.
func sinceTime(text string, zone *time.Location, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04"} {
		if from, err := time.ParseInLocation(layout, text, zone); err == nil {
			return from, nil
		}
	}
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(number, 10, 16); err == nil {
			return now.In(zone).AddDate(0, 0, -int(days)), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, usageError("-since: want a day or a time such as 2026-01-31 or 2026-01-31T15:04, or how long ago, such as 2h or 3d")
}

// eachFile reads files, of which "-" is standard input. On a terminal it shows the progress.
func (c *call) eachFile(paths []string, read func(io.Reader) error) error {
	p := &progress{}
	if isTerminal(c.stderr) {
		p.w = c.stderr
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && path != "-" {
			p.total += info.Size()
		}
	}
	defer p.clear()
	for _, path := range paths {
		if err := c.readOne(path, p, read); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) readOne(path string, p *progress, read func(io.Reader) error) error {
	p.in = c.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		p.in = f
	}
	err := read(p)
	switch {
	case errors.Is(err, logfile.ErrCut), errors.Is(err, logreport.ErrNoEntry):
		fmt.Fprintf(c.stderr, "warning: %s: %v\n", path, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// progressStep is how many bytes are read between two messages.
const progressStep = 8 << 20

// progress is a reader that shows how much it has read of all files.
type progress struct {
	in          io.Reader
	w           io.Writer // the terminal; nil: there is none
	done, total int64
	shown       int64
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	p.done += int64(n)
	if p.w != nil && p.done-p.shown >= progressStep {
		p.shown = p.done
		if p.done <= p.total {
			fmt.Fprintf(p.w, "\r%3d %%", p.done*100/p.total)
		} else { // of standard input the size is not known
			fmt.Fprintf(p.w, "\r%d MiB", p.done>>20)
		}
	}
	return n, err
}

// clear removes the message.
func (p *progress) clear() {
	if p.shown > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// report is what the commands that sum up a log print.
type report interface {
	Text(w io.Writer)
}

func (c *call) printReport(r report, asJSON bool) error {
	if !asJSON {
		r.Text(c.stdout)
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return errors.New("the report cannot be written as JSON")
	}
	_, err = fmt.Fprintf(c.stdout, "%s\n", b)
	return err
}
