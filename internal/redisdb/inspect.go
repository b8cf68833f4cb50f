package redisdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// InspectTimeout is how long an inspection may take.
const InspectTimeout = 20 * time.Second

// Report is what an inspection has found, for a person to read.
type Report struct {
	Server    string        // such as "redis 7.0.15"; empty if the server does not say
	Role      string        // "master" or "slave", as Redis says it; empty if it does not say
	Master    string        // the address that the Sentinels tell; empty without Sentinels
	RoundTrip time.Duration // of one command
	Warnings  []string
}

// Inspect connects to Redis, and tries all that [Client] does there, on keys of its own that it removes again. The caller's
// try is called for its scripts. An error says why Redis cannot be used.
func Inspect(ctx context.Context, config Config, try func(context.Context, *Client) error) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, InspectTimeout)
	defer cancel()
	i := inspection{site: New(config, Handler{})}
	defer i.site.Close()
	config.Prefix += "check:" + newID() + ":" // so that nothing changes for the machines that count
	i.scratch = New(config, Handler{})
	defer i.scratch.Close()
	for _, step := range []func(context.Context) error{
		i.askSentinels, i.checkSecret, i.measure, i.look, i.runScripts(try), i.subscribe,
	} {
		if err := step(ctx); err != nil {
			return i.Report, explainTLS(explain(err), config.TLS)
		}
	}
	return i.Report, nil
}

// explainTLS adds what to do to an error that is probable if only one side speaks TLS. A Redis without TLS waits for the
// end of the line that the handshake seems to be.
func explainTLS(err error, useTLS bool) error {
	var record tls.RecordHeaderError
	switch {
	case useTLS && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &record)):
		return &Error{"redis does not answer by TLS: want the port that redis.conf has in tls-port, or tls = false", err}
	case !useTLS && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return &Error{"redis ends the connection: if it speaks TLS at this port, set tls = true", err}
	}
	return err
}

// inspection is an inspection in progress.
type inspection struct {
	Report
	site, scratch *Client
}

func (i *inspection) warn(format string, args ...any) {
	i.Warnings = append(i.Warnings, fmt.Sprintf(format, args...))
}

// askSentinels asks each Sentinel which server is the master.
func (i *inspection) askSentinels(ctx context.Context) error {
	c := i.site.config
	if c.MasterName == "" {
		return nil
	}
	var errs []error
	for _, address := range c.Addresses {
		sentinel := redis.NewSentinelClient(&redis.Options{
			Addr: address, Password: c.SentinelPassword, Dialer: dialer(c),
			Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, DialTimeout: BackgroundTimeout,
			ContextTimeoutEnabled: true,
		})
		master, err := sentinel.GetMasterAddrByName(ctx, c.MasterName).Result()
		sentinel.Close()
		at := strings.Join(master, ":")
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("sentinel %s: %w", address, explainSentinel(err, c.MasterName)))
			i.warn("%v", errs[len(errs)-1])
		case i.Master == "":
			i.Master = at
		case i.Master != at:
			i.warn("sentinel %s: tells another master, %s", address, at)
		}
	}
	if i.Master == "" {
		i.Warnings = nil // the errors say the same
		return errors.Join(errs...)
	}
	return nil
}

// explainSentinel adds what to do to an error of a Sentinel.
func explainSentinel(err error, master string) error {
	switch {
	case errors.Is(err, redis.Nil):
		return fmt.Errorf("knows no master with the name %q", master)
	case strings.HasPrefix(err.Error(), "ERR unknown command"):
		return errors.New("is no Sentinel: remove master_name, or give the addresses of the Sentinels")
	case strings.HasPrefix(err.Error(), "NOAUTH"):
		return errors.New("asks for a password: set sentinel_password_file")
	}
	return explain(err)
}

// checkSecret looks for the secret of the machines that count, but does not make a site.
func (i *inspection) checkSecret(ctx context.Context) error {
	fingerprint, err := i.site.db.HGet(ctx, i.site.siteKey(), "secret").Result()
	if err == nil && fingerprint != i.site.secrets.fingerprint {
		err = errors.New("SECRET of this machine is another one than the site has")
	}
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// measure times a command on a connection that is open already.
func (i *inspection) measure(ctx context.Context) error {
	begin := time.Now()
	if err := i.site.db.Time(ctx).Err(); err != nil {
		return err
	}
	i.RoundTrip = time.Since(begin)
	if timeout := i.site.config.Timeout; 2*i.RoundTrip > timeout {
		i.warn("a round trip took %v, and a login that takes two of them may wait only %v: raise timeout", i.RoundTrip, timeout)
	}
	return nil
}

// look reads what the server says about itself, which it may refuse.
func (i *inspection) look(ctx context.Context) error {
	node, err := i.site.node(ctx)
	if err != nil {
		return err
	}
	text, err := node.Info(ctx).Result()
	if err != nil {
		i.warn("version, role, memory and persistence could not be seen: %v", explain(err))
		return nil
	}
	info := infoOf(text)
	i.Role = info["role"]
	for _, name := range []string{"redis", "valkey"} { // Valkey has both
		if version := info[name+"_version"]; version != "" {
			i.Server = name + " " + version
		}
	}
	if policy := info["maxmemory_policy"]; info["maxmemory"] != "0" && policy != "" && policy != "noeviction" {
		i.warn("maxmemory-policy is %s, so Redis may drop counters while they are needed: set it to noeviction", policy)
	}
	if info["cluster_enabled"] == "1" && len(i.site.config.Addresses) == 1 {
		i.warn("this is one node of a cluster: list several nodes in addresses, or Redis is lost with this one")
	}
	if info["aof_enabled"] == "0" {
		i.checkSave(ctx, node)
	}
	return nil
}

// checkSave is called if there is no append-only file.
func (i *inspection) checkSave(ctx context.Context, node redis.Cmdable) {
	save, err := node.ConfigGet(ctx, "save").Result()
	switch {
	case err != nil:
		i.warn("whether Redis saves its data could not be seen: appendonly is off, and CONFIG GET save is refused")
	case save["save"] == "":
		i.warn("Redis saves nothing, so a restart forgets the counters that no machine has seen lately: set appendonly or save")
	}
}

// infoOf reads the answer to INFO.
func infoOf(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		info[key] = value
	}
	return info
}

// runScripts runs each script.
func (i *inspection) runScripts(try func(context.Context, *Client) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		defer func() { _, _ = i.scratch.Delete(ctx, i.scratch.siteKey()) }() // else it ends after SiteTTL
		if err := i.scratch.Look(ctx); err != nil {
			return err
		}
		if err := try(ctx, i.scratch); err != nil {
			return err
		}
		i.scratch.outbox = append(i.scratch.outbox, "check ")
		return i.scratch.sendOutbox(ctx)
	}
}

// subscribe subscribes to announcements.
func (i *inspection) subscribe(ctx context.Context) error {
	sub := i.scratch.db.Subscribe(ctx, i.scratch.channel())
	defer sub.Close()
	_, err := sub.Receive(ctx)
	if err == nil {
		err = sub.Ping(ctx) // as the library does
	}
	if err == nil {
		_, err = sub.Receive(ctx)
	}
	return err
}
