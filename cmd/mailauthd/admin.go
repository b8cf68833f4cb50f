package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
)

// Limits of the answer of the running mailauthd.
const (
	adminTimeout   = 10 * time.Second
	maxAdminAnswer = 16 << 10 // bytes
)

// manageCache asks the running mailauthd to forget logins.
func manageCache(c *call) error { return c.askRunning("flush", "/cache/flush?mask=", 0) }

// manageThrottle asks the running mailauthd to forget failed logins.
func manageThrottle(c *call) error { return c.askRunning("reset", "/throttle/reset?of=", 1) }

// askRunning sends a request to the running mailauthd. The command's first argument must be what. One
// more argument may follow, and must if least is 1.
func (c *call) askRunning(what, request string, least int) error {
	c.newFlags()
	path := c.configFlag()
	c.name += " " + what
	c.command.args = strings.TrimSpace(strings.TrimPrefix(c.command.args, what))
	switch {
	case len(c.args) > 0 && isHelp(c.args[0]):
		c.usage(c.stdout)
		return flag.ErrHelp
	case len(c.args) > 0 && strings.HasPrefix(c.args[0], "-"):
		return flagFirst(c.args[0], fmt.Sprintf("%q", what))
	case len(c.args) == 0 || c.args[0] != what:
		return usageError(fmt.Sprintf("want %q as the first argument", what))
	}
	c.args = c.args[1:]
	if err := c.parseBetween(least, 1); err != nil {
		return err
	}
	cfg, err := config.Load(*path)
	if err != nil {
		return withHint(err)
	}
	if len(cfg.Listen.Admin) == 0 {
		return fmt.Errorf(`%s: the running mailauthd has no admin socket: set admin = ["unix:/run/mailauthd/admin.sock"] in [listen], and reload it`, *path)
	}
	answer, err := askAdmin(cfg.Listen.Admin[0].Name, http.MethodPost, request+url.QueryEscape(c.flags.Arg(0)))
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, authlog.Escape(answer))
	return nil
}

// askAdmin sends a request over the admin socket and returns the answer.
func askAdmin(socket, method, request string) (answer string, err error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	client := http.Client{Timeout: adminTimeout, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	r, err := http.NewRequest(method, "http://mailauthd"+request, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", fmt.Errorf("%s: no answer from mailauthd (is it running, and are you root?): %w", socket, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAdminAnswer))
	answer = strings.TrimSpace(string(body))
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(answer)
	}
	return answer, err
}
