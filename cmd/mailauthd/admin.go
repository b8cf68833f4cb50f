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

// adminTimeout is how long the running mailauthd may take to answer a command.
const adminTimeout = 10 * time.Second

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
		c.usage()
		return flag.ErrHelp
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
	answer, err := post(cfg.Listen.Admin[0].Name, request+url.QueryEscape(c.flags.Arg(0)))
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, authlog.Escape(answer))
	return nil
}

// post sends a request over the admin socket and returns the answer.
func post(socket, request string) (answer string, err error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	client := http.Client{Timeout: adminTimeout, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	response, err := client.Post("http://mailauthd"+request, "", nil)
	if err != nil {
		return "", fmt.Errorf("%s: no answer from mailauthd (is it running, and are you root?): %w", socket, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	answer = strings.TrimSpace(string(body))
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(answer)
	}
	return answer, err
}
