package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Types of FastCGI records (specification 1.0, section 8).
const (
	beginRequest = 1
	abortRequest = 2
	endRequest   = 3
	paramsRecord = 4
	stdinRecord  = 5
	stdoutRecord = 6
)

const keepConnection = "\x00\x01\x01\x00\x00\x00\x00\x00" // body of BEGIN_REQUEST: a responder

func record(kind byte, id int, content string) string {
	return string([]byte{1, kind, byte(id >> 8), byte(id), byte(len(content) >> 8), byte(len(content)), 0, 0}) + content
}

func pair(name, value string) string {
	n := len(value)
	return string([]byte{byte(len(name)), 0x80 | byte(n>>24), byte(n >> 16), byte(n >> 8), byte(n)}) + name + value
}

// fastcgiLogin returns the request for an IMAP login.
func fastcgiLogin(a account) string { return fastcgiLoginFrom("127.0.0.1", a) }

// fastcgiLoginFrom returns the request for an IMAP login from a client's address.
func fastcgiLoginFrom(address string, a account) string {
	return fastcgiRequest(loginVariables(address, a))
}

func loginVariables(address string, a account) string {
	return pair("REQUEST_METHOD", "GET") + pair("SERVER_PROTOCOL", "HTTP/1.0") + pair("REQUEST_URI", "/mail/auth.php") +
		pair("HTTP_AUTH_METHOD", "plain") + pair("HTTP_AUTH_PROTOCOL", "imap") + pair("HTTP_CLIENT_IP", address) +
		pair("HTTP_AUTH_USER", a.user) + pair("HTTP_AUTH_PASS", a.password)
}

func fastcgiRequest(variables string) string {
	return record(beginRequest, 1, keepConnection) + record(paramsRecord, 1, variables) + record(paramsRecord, 1, "") + record(stdinRecord, 1, "")
}

// readAnswer reads a responder's answer, up to the end of the request.
func readAnswer(r io.Reader) (stdout string, err error) {
	header := make([]byte, 8)
	for {
		if _, err := io.ReadFull(r, header); err != nil {
			return stdout, err
		}
		length := int(header[4])<<8 | int(header[5])
		content := make([]byte, length+int(header[6]))
		if _, err := io.ReadFull(r, content); err != nil {
			return stdout, err
		}
		switch header[1] {
		case endRequest:
			if content[4] != 0 {
				err = fmt.Errorf("protocol status %d", content[4])
			}
			return stdout, err
		case stdoutRecord:
			stdout += string(content[:length])
		}
	}
}

// askFastCGI logs in on a connection of its own, and returns how long that took.
func askFastCGI(socket string, a account) (time.Duration, error) {
	return askFastCGIFrom("127.0.0.1", socket, a)
}

func askFastCGIFrom(address, socket string, a account) (time.Duration, error) {
	start := time.Now()
	c, err := net.DialTimeout("unix", socket, clientTimeout)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(start.Add(clientTimeout)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(c, fastcgiLoginFrom(address, a)); err != nil {
		return 0, err
	}
	answer, err := readAnswer(c)
	if err == nil && !strings.Contains(answer, "Auth-Status: OK\r\n") {
		err = errors.New("answer " + answer)
	}
	return time.Since(start), err
}
