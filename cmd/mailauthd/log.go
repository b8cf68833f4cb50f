package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/logfile"
	"mailauthd/internal/logreport"
	"mailauthd/internal/mailaddr"
)

// logCommands returns the commands after "mailauthd log".
func logCommands() []command {
	return []command{
		{name: "failed", args: "[FILE...]", summary: "count the logins that failed", run: logFailed},
		{name: "user", args: "USER [FILE...]", summary: "show the last logins of a user, and why they failed", run: logUser},
	}
}

// logReading is what the log commands need to read the log.
type logReading struct {
	config *config.Config // nil if it cannot be loaded and is not needed
	zone   *time.Location
	since  time.Time
	files  []string
}

// prepareLog loads the configuration and finds the files. With files as arguments the commands also work where there is no
// configuration, such as on another machine.
func (c *call) prepareLog(path, since string, files []string) (*logReading, error) {
	r := &logReading{zone: time.Local, files: files}
	log, err := c.findLog(path, r)
	switch {
	case err == nil:
		if r.zone, err = authlog.Zone(log.Timezone); err != nil {
			return nil, err
		}
	case len(files) == 0 || c.isSet("config"):
		return nil, withHint(err)
	case !errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(c.stderr, "warning: aliases and the time zone of the log are not known: %v\n", err)
	}
	if len(files) == 0 {
		if r.files, err = c.rotatedFiles(log.File); err != nil {
			return nil, err
		}
	}
	r.since, err = sinceTime(since, r.zone, time.Now())
	return r, err
}

// findLog returns the section [log], also of a configuration that is wrong elsewhere.
func (c *call) findLog(path string, r *logReading) (authlog.Config, error) {
	cfg, wrong := config.Load(path)
	if wrong == nil {
		r.config = cfg
		return cfg.Log, nil
	}
	outline, err := config.LoadOutline(path)
	if err != nil {
		return authlog.Config{}, wrong
	}
	fmt.Fprintf(c.stderr, "warning: aliases of users are not known: %v\n", wrong)
	return outline.Log, nil
}

func (c *call) isSet(name string) (set bool) {
	c.flags.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// rotatedFiles returns the log and its rotated files.
func (c *call) rotatedFiles(path string) ([]string, error) {
	files, others, err := logfile.Rotated(path)
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		fmt.Fprintf(c.stderr, "warning: %s is not read, because it is not compressed by gzip: uncompress it\n", other)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no such log yet, nor a rotated one: mailauthd serve makes it at the first login", path)
	}
	return files, nil
}

// read gives the entries of the files to take, in the order of time. It returns errNo if the files are no logs.
func (c *call) read(r *logReading, take func(*authlog.Event)) (logreport.Skipped, error) {
	limitMemory()
	reader := logreport.NewReader(r.since, r.zone, take)
	files, err := r.inOrder(reader)
	if err == nil {
		err = c.eachFile(files, reader.Read)
	}
	if err == nil && reader.Entries() == 0 && reader.Skipped() != (logreport.Skipped{}) {
		err = errNo
	}
	return reader.Skipped(), err
}

// clockSlack is how far the clock may have been set back within a log, as at the end of summer time.
const clockSlack = 2 * time.Hour

// inOrder returns the files by the time of their first entries, without those that end before since. Those that cannot be
// read twice are the last ones.
func (r *logReading) inOrder(reader *logreport.Reader) ([]string, error) {
	type file struct {
		path   string
		stream bool
		first  time.Time // zero if the file has no entry
	}
	var list []file
	for _, path := range slices.Compact(slices.Sorted(slices.Values(r.files))) {
		f := file{path: path, stream: isStream(path)}
		if !f.stream {
			in, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			f.first, _ = reader.First(in)
			in.Close()
		}
		list = append(list, f)
	}
	slices.SortStableFunc(list, func(a, b file) int {
		if a.stream != b.stream {
			return map[bool]int{false: -1, true: 1}[a.stream]
		}
		return a.first.Compare(b.first)
	})
	var paths []string
	for i, f := range list {
		over := i+1 < len(list) && !list[i+1].stream && !f.first.IsZero() && list[i+1].first.Before(r.since.Add(-clockSlack))
		if !over {
			paths = append(paths, f.path)
		}
	}
	return paths, nil
}

// isStream reports whether a file cannot be read twice: standard input, or a pipe such as that of "<(xzcat auth.log.xz)".
func isStream(path string) bool {
	info, err := os.Stat(path)
	return path == "-" || err == nil && !info.Mode().IsRegular()
}

// canonical returns the name by which a user is known: in canonical form and, if the configuration is known, that of the
// entry in the map which has it as an alias.
func (r *logReading) canonical(name string) string {
	canonical, err := mailaddr.User(name)
	if r.config != nil {
		canonical, err = r.config.Canonical(name)
	}
	if err != nil {
		return name
	}
	if r.config != nil {
		if u := r.config.Users.Lookup(canonical); u != nil {
			return u.Name
		}
	}
	return canonical
}
