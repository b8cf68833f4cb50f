package main

import (
	"flag"
	"fmt"
	"strings"

	"mailauthd/internal/spelling"
)

// unknownCommand describes a command that does not exist. It suggests the one that a misspelt one resembles, or else says
// what it is told to.
func unknownCommand(word string, commands []command, otherwise string) string {
	var names []string
	for _, cmd := range commands {
		names = append(names, cmd.name)
	}
	if near := suggestion(word, "", names); near != "" {
		otherwise = near
	}
	return fmt.Sprintf("unknown command %q", word) + otherwise
}

// nearFlag suggests the flag that an unknown one resembles. It is empty after any other error.
func (c *call) nearFlag(err error) string {
	word, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return ""
	}
	var names []string
	c.flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return suggestion(word, "-", names)
}

// suggestion is empty if no known word is close.
func suggestion(word, prefix string, known []string) string {
	near := spelling.Nearest(strings.ToLower(word), known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", prefix+near)
}
