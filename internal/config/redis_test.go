package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/redisdb"
)

const redisSecret = "0123456789abcdef0123456789abcdef"

// Each key of [redis] sets its own field, and what is the same makes deeply equal configurations.
func TestRedisKeys(t *testing.T) {
	secret := []byte(redisSecret)
	for _, tt := range []struct {
		name, text string
		want       *redisdb.Config
	}{
		{"no section", "", nil},
		{"defaults", "[redis]\naddresses = [\"127.0.0.1:6379\"]\nsecret_file = \"secret\"\n", &redisdb.Config{
			Addresses: []string{"127.0.0.1:6379"}, Prefix: "mailauthd:", Timeout: 50 * time.Millisecond, Secret: secret}},
		{"all keys", `[redis]
addresses = ["[2001:db8::1]:26379", "b.example:26379"]
master_name = "mymaster"
username = "mailauthd"
password_file = "pass"
sentinel_password_file = "sentinel"
tls = true
ca_file = "ca.pem"
server_name = "redis.example"
prefix = "mail/1:"
timeout = "7ms"
secret_file = "secret"
`, &redisdb.Config{
			Addresses: []string{"[2001:db8::1]:26379", "b.example:26379"}, MasterName: "mymaster", Username: "mailauthd",
			Password: "hunter2", SentinelPassword: "hunter3", TLS: true, CAs: []byte(certificate), ServerName: "redis.example",
			Prefix: "mail/1:", Timeout: 7 * time.Millisecond, Secret: secret}},
		{"unix", "[redis]\naddresses = [\"unix:/run/redis.sock\"]\nsecret_file = \"secret\"\n", &redisdb.Config{
			Addresses: []string{"unix:/run/redis.sock"}, Prefix: "mailauthd:", Timeout: 50 * time.Millisecond, Secret: secret}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "m.toml", minimal+"[throttle]\nshared = "+map[bool]string{true: "true", false: "false"}[tt.want != nil]+"\n"+tt.text,
				"secret", redisSecret+"\n", "pass", "hunter2\n", "sentinel", "hunter3\n", "ca.pem", certificate)
			c, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Warnings) > 0 {
				t.Errorf("warnings %v", c.Warnings)
			}
			if !reflect.DeepEqual(c.Redis, tt.want) || c.Throttle.Shared != (tt.want != nil) {
				t.Errorf("%+v, want %+v", c.Redis, tt.want)
			}
			if again, err := Reload(path, c); err != nil || !reflect.DeepEqual(again.Redis, c.Redis) {
				t.Errorf("another configuration after a reload: %+v, %v", again, err)
			}
		})
	}
}

// loadRedis loads a configuration with these lines in [redis], whose first one is line 11. Lines that the section needs
// are added unless they are there.
func loadRedis(t *testing.T, throttle, lines string) (*Config, error) {
	t.Helper()
	for key, line := range map[string]string{"addresses": `addresses = ["127.0.0.1:6379"]`, "secret_file": `secret_file = "secret"`} {
		if !strings.Contains(lines, key+" =") {
			lines += "\n" + line
		}
	}
	path := write(t, "m.toml", minimal+throttle+"[redis]\n"+lines+"\n", "secret", redisSecret+"\n", "pass", "hunter2\n",
		"short", "0123456789abcde\n", "two", redisSecret+"\n"+redisSecret+"\n", "before", "\n"+redisSecret+"\n",
		"after", redisSecret+"\n\n", "empty", "\n")
	return Load(path)
}

func TestRedisProblems(t *testing.T) {
	for line, want := range map[string]string{
		`addresses = []`:                                 `addresses: want from 1 to 64 addresses, such as ["10.0.0.5:6379"]`,
		`addresses = ["redis"]`:                          `addresses: entry 1: want HOST:PORT, such as "10.0.0.5:6379"`,
		`addresses = ["a:1", ":6379"]`:                   `addresses: entry 2: want HOST:PORT`,
		`addresses = ["::1:6379"]`:                       `addresses: entry 1: want HOST:PORT`,
		`addresses = ["a:0"]`:                            `addresses: entry 1: want HOST:PORT`,
		`addresses = ["unix:redis.sock"]`:                `addresses: entry 1: want an absolute path, such as "unix:/run/redis/redis-server.sock"`,
		`addresses = ["a:1", "unix:/x"]`:                 `addresses: entry 2: a unix socket must be the only address`,
		"addresses = [\"unix:/x\"]\ntls = true":          `addresses: entry 1: there is no TLS on a unix socket`,
		`username = "x"`:                                 `username: needs password_file, such as "redis.pass"`,
		`password_file = "nowhere"`:                      `password_file: `,
		`sentinel_password_file = "pass"`:                `sentinel_password_file: has no effect without master_name`,
		`server_name = "x"`:                              `server_name: has no effect without tls = true`,
		"ca_file = \"secret\"\ntls = true":               `ca_file: holds no certificate in PEM`,
		`prefix = ""`:                                    `prefix: want at most 64 letters, digits and :._-/ such as "mailauthd:"`,
		`prefix = "a{b}"`:                                `prefix: want at most 64 letters`,
		`timeout = "0s"`:                                 `timeout: must be from 1ms to 1s`,
		`timeout = "2s"`:                                 `timeout: must be from 1ms to 1s`,
		`secret_file = ""`:                               `secret_file: is missing: want a file with one line, the same on all machines`,
		`secret_file = "nowhere"`:                        `secret_file: `,
		`secret_file = "short"`:                          `secret_file: the secret must be from 16 to 512 bytes long: "openssl rand -hex 32" prints a good one`,
		`secret_file = "empty"`:                          `secret_file: the secret must be from 16 to 512 bytes long`,
		`secret_file = "two"`:                            `secret_file: the file must have one line, and no empty one before or after it`,
		`secret_file = "before"`:                         `secret_file: the file must have one line, and no empty one before or after it`,
		`secret_file = "after"`:                          `secret_file: the file must have one line, and no empty one before or after it`,
		"master_name = \"m\"\naddresses = [\"unix:/x\"]": `addresses: entry 1: a unix socket must be the only address, without master_name`,
	} {
		_, err := loadRedis(t, "[throttle]\nshared = true\n", line)
		if err == nil || !strings.Contains(err.Error(), ": redis."+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
		if err != nil && strings.Contains(err.Error(), redisSecret) {
			t.Errorf("%s: the error has the secret", line)
		}
	}
	_, err := Load(write(t, "m.toml", minimal+"[throttle]\nshared = true\n"))
	if want := ":9: throttle.shared: needs the section [redis] with addresses and secret_file"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("shared without [redis]: %v, want %s", err, want)
	}
}

func TestRedisWarnings(t *testing.T) {
	const shared = "[throttle]\nshared = true\n"
	for _, tt := range []struct{ throttle, lines, want string }{
		{"", "", "redis: nothing uses it: set shared = true in [throttle]"},
		{"[cache]\nsize = 10\n", "", ""},
		{shared, "", ""},
		{shared, "addresses = [\"redis.example:6379\"]", ""},
		{shared, "addresses = [\"redis.example:6379\"]\npassword_file = \"pass\"", "redis.addresses: the password goes to redis.example:6379 in clear: set tls = true"},
		{shared, "addresses = [\"redis.example:6379\"]\npassword_file = \"pass\"\ntls = true", ""},
		{shared, "addresses = [\"[::1]:6379\"]\npassword_file = \"pass\"", ""},
		{shared, "addresses = [\"unix:/x\"]\npassword_file = \"pass\"", ""},
	} {
		c, err := loadRedis(t, tt.throttle, tt.lines)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case tt.want == "" && len(c.Warnings) > 0:
			t.Errorf("%s%s: %v", tt.throttle, tt.lines, c.Warnings)
		case tt.want != "" && (len(c.Warnings) != 1 || !strings.HasSuffix(c.Warnings[0].Error(), tt.want)):
			t.Errorf("%s%s: %v, want %s", tt.throttle, tt.lines, c.Warnings, tt.want)
		}
	}
}

// Others must not read the secret.
func TestRedisSecretCanBeRead(t *testing.T) {
	path := write(t, "m.toml", minimal+"[throttle]\nshared = true\n[redis]\naddresses = [\"127.0.0.1:6379\"]\nsecret_file = \"secret\"\n",
		"secret", redisSecret+"\n")
	if !publish(t, filepath.Join(filepath.Dir(path), "secret")) {
		t.Skip("others cannot enter the directory of tests")
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Error(), `redis.secret_file: others can read `) {
		t.Errorf("warnings %v", c.Warnings)
	}
}
