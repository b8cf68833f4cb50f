package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"mailauthd/internal/status"
)

// watchInterval is how often -watch prints the status again.
const watchInterval = 2 * time.Second

// clearScreen makes a terminal empty, and moves the cursor to the upper left corner (ECMA-48).
const clearScreen = "\x1b[H\x1b[2J"

// printStatus prints what the running mailauthd does.
func printStatus(c *call) error {
	flags := c.newFlags()
	path := c.configFlag()
	asJSON := flags.Bool("json", false, "print JSON")
	full := flags.Bool("full", false, "print the last logins that failed, too")
	watch := flags.Bool("watch", false, "print it again every 2 seconds, until interrupted")
	if err := c.parse(0); err != nil {
		return err
	}
	socket, err := adminSocket(*path)
	if err != nil {
		return err
	}
	query := "/status?json"
	if *full {
		query += "&full"
	}
	show := func(w io.Writer) error {
		answer, err := askAdmin(socket, http.MethodGet, query)
		switch {
		case err != nil:
			return err
		case *asJSON:
			_, err = fmt.Fprintln(w, answer)
			return err
		}
		return writeStatus(w, answer, colours(c.stdout))
	}
	if !*watch {
		return show(c.stdout)
	}
	return c.repeat(show)
}

// repeat calls show every watchInterval, until SIGINT or SIGTERM. On a terminal each one takes the place of the one
// before. An error is printed in place of the status, because mailauthd may only be restarting.
func (c *call) repeat(show func(io.Writer) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		var text bytes.Buffer
		if isTerminal(c.stdout) {
			text.WriteString(clearScreen)
		}
		if err := show(&text); err != nil {
			fmt.Fprintln(&text, err)
		}
		fmt.Fprintln(&text)
		if _, err := c.stdout.Write(text.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// writeStatus writes the status, which the running mailauthd has sent as JSON, as text.
func writeStatus(w io.Writer, answer string, colours bool) error {
	var s status.Snapshot
	if err := json.Unmarshal([]byte(answer), &s); err != nil {
		return fmt.Errorf("the running mailauthd sent a status that this version cannot read: restart it: %w", err)
	}
	return s.WriteText(w, colours)
}
