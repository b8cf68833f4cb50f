package main

import (
	"context"
	"errors"
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
	maxAdminAnswer = 4 << 20 // bytes; a status has about 500 for each server
)

// cacheCommands returns the commands after "mailauthd cache".
func cacheCommands() []command {
	return []command{
		{name: "flush", args: "[MASK]", summary: "forget logins of all users, or of those that match", run: flushCache},
	}
}

// flushCache asks the running mailauthd to forget logins.
func flushCache(c *call) error {
	answer, err := c.askRunning(http.MethodPost, "/cache/flush?mask=", 0)
	if err == nil {
		fmt.Fprintln(c.stdout, oneLine(answer))
	}
	return err
}

// oneLine makes one line of an answer of the running mailauthd, which may have several.
func oneLine(answer string) string { return authlog.Escape(strings.ReplaceAll(answer, "\n", "; ")) }

// askRunning sends a request with the command's argument to the running mailauthd, and returns the answer. The argument
// must be there if least is 1. The command may have added flags.
func (c *call) askRunning(method, request string, least int) (answer string, err error) {
	if c.flags == nil {
		c.newFlags()
	}
	path := c.configFlag()
	if err := c.parseBetween(least, 1); err != nil {
		return "", err
	}
	socket, err := adminSocket(*path)
	if err != nil {
		return "", err
	}
	return askAdmin(socket, method, request+url.QueryEscape(c.flags.Arg(0)))
}

// adminSocket returns the path of the admin socket that a configuration has, whatever is wrong with the rest of it.
func adminSocket(path string) (string, error) {
	cfg, err := config.LoadOutline(path)
	if err != nil {
		return "", withHint(err)
	}
	if len(cfg.Admin) == 0 {
		return "", fmt.Errorf(`%s: the running mailauthd has no admin socket: set admin = ["unix:/run/mailauthd/admin.sock"] in [listen], and reload it`, path)
	}
	return cfg.Admin[0].Name, nil
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
		var request *url.Error
		if errors.As(err, &request) { // without the URL, which is not for people
			err = request.Err
		}
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
