package config

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
)

// Value is the first line of the file, as it is when Value is called.
func TestSecretValue(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("auth.key", "\n first-secret-of-many \nsecond-secret-of-many\n")
	c, err := Load(write("m.toml", base["listen"]+"[auth]\nsecret = { header = \"X-Auth-Key\", file = \"auth.key\" }\n"))
	if err != nil {
		t.Fatal(err)
	}
	value, err := c.Secret.Value()
	if value != "first-secret-of-many" || err != nil || sha256.Sum256([]byte(value)) != c.Secret.Hashes[0] {
		t.Errorf("%q, %v", value, err)
	}
	write("auth.key", "\n")
	if value, err := c.Secret.Value(); value != "" || err == nil {
		t.Errorf("an empty file: %q, %v", value, err)
	}
}
