package main

import (
	"fmt"
	"runtime"
)

// version is set by the Makefile: -ldflags "-X main.version=…".
var version = "devel"

func printVersion(c *call) error {
	c.newFlags()
	if err := c.parse(0); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "mailauthd %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
