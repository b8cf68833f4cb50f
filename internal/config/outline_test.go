package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The running mailauthd and its log are found although a change has broken the configuration.
func TestLoadOutline(t *testing.T) {
	for name, tt := range map[string]struct {
		main, more string
		admin, log string
		err        string
	}{
		"right": {
			main:  "[listen]\nadmin = [\"unix:/run/a.sock\"]\n[log]\nfile = \"/var/log/a.log\"\n",
			admin: "/run/a.sock", log: "/var/log/a.log",
		},
		"mistakes elsewhere": {
			main:  "include = [\"more.toml\", \"missing.toml\"]\nnonsense = 1\n[listen]\nadmin = [\"unix:/run/a.sock\"]\nmode = 7\n[cache]\nsize = \"x\"\n[users.\"bob@a.example\"]\npasword = 1\n",
			more:  "[users",
			admin: "/run/a.sock", log: defaultLogFile,
		},
		"sections in an included file": {
			main:  "include = [\"*.toml\"]\n[listen]\nadmin = [\"unix:/run/a.sock\"]\n",
			more:  "[log]\nfile = \"/var/log/b.log\"\n",
			admin: "/run/a.sock", log: "/var/log/b.log",
		},
		"no socket":    {main: "[listen]\n", log: defaultLogFile},
		"wrong socket": {main: "[listen]\nadmin = [\"127.0.0.1:1\"]\n", err: "listen.admin: entry 1: want a unix socket"},
		"no TOML":      {main: "[listen]\nadmin = \n", err: "main.conf:2: not valid TOML"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "main.conf")
			for file, text := range map[string]string{path: tt.main, filepath.Join(dir, "more.toml"): tt.more} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o, err := LoadOutline(path)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var admin string
			for _, a := range o.Admin {
				admin = a.Name
			}
			if admin != tt.admin || o.Log.File != tt.log {
				t.Errorf("admin %q, log %q, want %q and %q", admin, o.Log.File, tt.admin, tt.log)
			}
		})
	}
}
