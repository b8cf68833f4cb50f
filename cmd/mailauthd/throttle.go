package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"text/tabwriter"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/status"
)

// throttleCommands returns the commands after "mailauthd throttle".
func throttleCommands() []command {
	return []command{
		{name: "show", args: "[USER|ADDRESS]", summary: "list who is held back, and for how long", run: showThrottle},
		{name: "reset", args: "USER|ADDRESS", summary: "forget failed logins of a user, or from an address", run: resetThrottle},
	}
}

// resetThrottle makes the running mailauthd forget failed logins.
func resetThrottle(c *call) error {
	answer, err := c.askRunning(http.MethodPost, "/throttle/reset?of=", 1)
	if err == nil {
		fmt.Fprintln(c.stdout, authlog.Escape(answer))
	}
	return err
}

// showThrottle prints the counters that are over their limits, or those of a user or of a client's address.
func showThrottle(c *call) error {
	c.newFlags()
	asJSON := c.flags.Bool("json", false, "print JSON")
	answer, err := c.askRunning(http.MethodGet, "/throttle?of=", 0)
	if err != nil {
		return err
	}
	if *asJSON {
		fmt.Fprintln(c.stdout, answer)
		return nil
	}
	var held []status.Held
	if err := json.Unmarshal([]byte(answer), &held); err != nil {
		return fmt.Errorf("the running mailauthd answers in another format: %w", err)
	}
	if len(held) > 0 {
		c.printHeld(held)
	} else if of := c.flags.Arg(0); of != "" {
		fmt.Fprintf(c.stdout, "no wrong passwords are counted for %s\n", authlog.Escape(of))
	} else {
		fmt.Fprintln(c.stdout, "nobody is held back on this machine")
	}
	return nil
}

func (c *call) printHeld(held []status.Held) {
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COUNTER\tOF\tWRONG PASSWORDS\tLIMIT\tNEXT LOGIN IN")
	for _, h := range held {
		wait := "now"
		if h.Wait > 0 {
			wait = (time.Duration(math.Ceil(h.Wait)) * time.Second).String()
		}
		fmt.Fprintf(table, "%s\t%s\t%.1f\t%d\t%s\n", h.Counter, authlog.Escape(h.Name), h.Count, h.Limit, wait)
	}
	_ = table.Flush()
}
