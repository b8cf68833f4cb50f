// Command md5cram prints the answer to a CRAM-MD5 challenge (RFC 2195), as md5cram.pl did:
//
//	md5cram USER PASSWORD TICKET
//
// TICKET is the challenge as the mail server sent it, in base64. The output is
// base64 of the user name, a space, and the keyed digest in hex, without a
// newline. The command is for testing a mail server by hand. The process list shows the password
// while it runs. mailauthd itself does not use it.
package main

import (
	"encoding/base64"
	"fmt"
	"os"

	"mailauthd/internal/upstream"
)

// exitDie is the exit status of Perl's die.
const exitDie = 255

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "Usage: md5cram username password ticket")
		os.Exit(exitDie)
	}
	user, password, ticket := os.Args[1], os.Args[2], os.Args[3]
	challenge, err := decode(ticket)
	if err != nil || len(challenge) == 0 {
		// The error does not repeat the ticket: if the arguments are in the wrong order, it is the password.
		fmt.Fprintln(os.Stderr, "md5cram: cannot decode the ticket: want base64, as the mail server sent it after \"+ \" or \"334 \"")
		os.Exit(exitDie)
	}
	answer := upstream.CRAMMD5(user, password, challenge)
	fmt.Print(base64.StdEncoding.EncodeToString([]byte(answer)))
}

// decode decodes base64 with or without padding, as Perl's MIME::Base64 does.
func decode(ticket string) ([]byte, error) {
	if b, err := base64.StdEncoding.DecodeString(ticket); err == nil {
		return b, nil
	}
	return base64.RawStdEncoding.DecodeString(ticket)
}
