package server

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// longTimeout is a timeout that only a broken server reaches.
const longTimeout = 20 * time.Second

// endpoint is an address of a server.
type endpoint struct {
	network, address string
	over             func(c net.Conn, h http.Header) (head string, err error)
}

// ask makes one request on a new connection, and returns the head of the answer.
func (d endpoint) ask(h http.Header) (string, error) {
	c, err := d.dial()
	if err != nil {
		return "", err
	}
	defer c.Close()
	return d.over(c, h)
}

func (d endpoint) dial() (net.Conn, error) {
	c, err := net.DialTimeout(d.network, d.address, longTimeout)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(longTimeout))
	}
	return c, err
}

// open reports whether new connections are accepted. A TCP socket that is being closed ignores them at first.
func (d endpoint) open() bool {
	c, err := net.DialTimeout(d.network, d.address, 200*time.Millisecond)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// field returns the value of a header in the head of an answer.
func field(head, name string) string {
	_, lines, _ := strings.Cut(head, "\r\n")
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(lines))).ReadMIMEHeader()
	if err != nil {
		return ""
	}
	return h.Get(name)
}

// overHTTP makes a request as nginx's mail proxy does.
func overHTTP(c net.Conn, h http.Header) (string, error) {
	var b strings.Builder
	b.WriteString("GET /mail/auth.php HTTP/1.0\r\nHost: 127.0.0.1\r\n")
	for name, values := range h {
		for _, value := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	if _, err := io.WriteString(c, b.String()+"\r\n"); err != nil {
		return "", err
	}
	head, err := io.ReadAll(c)
	return string(head), err
}

// Records of FastCGI (specification 1.0, section 8).
const (
	beginRequest = 1
	endRequest   = 3
	paramsRecord = 4
	stdinRecord  = 5
	stdoutRecord = 6
)

// overFastCGI makes a request as nginx and Apache do, and leaves the connection open.
func overFastCGI(c net.Conn, h http.Header) (string, error) {
	return fastCGI(c, variables(h))
}

// variables returns the CGI variables of a request.
func variables(h http.Header) map[string]string {
	v := map[string]string{
		"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.0", "REQUEST_METHOD": "GET",
		"REQUEST_URI": "/mail/auth.php", "SCRIPT_NAME": "/mail/auth.php", "HTTP_HOST": "localhost:8008",
	}
	for name, values := range h {
		v["HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = values[0]
	}
	return v
}

// fastCGI makes one request and returns what the responder wrote.
func fastCGI(c net.Conn, variables map[string]string) (string, error) {
	var pairs []byte
	for name, value := range variables {
		pairs = append(pairs, byte(len(name)))
		pairs = binary.BigEndian.AppendUint32(pairs, 1<<31|uint32(len(value)))
		pairs = append(append(pairs, name...), value...)
	}
	b := record(nil, beginRequest, []byte{0, 1, 1, 0, 0, 0, 0, 0}) // responder, keep the connection
	for len(pairs) > 0 {
		n := min(len(pairs), 1<<16-1)
		b = record(b, paramsRecord, pairs[:n])
		pairs = pairs[n:]
	}
	b = record(record(b, paramsRecord, nil), stdinRecord, nil)
	if _, err := c.Write(b); err != nil {
		return "", err
	}
	return readReply(c)
}

func record(b []byte, kind byte, content []byte) []byte {
	b = append(b, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(b, content...)
}

func readReply(c net.Conn) (string, error) {
	var stdout strings.Builder
	for {
		var h struct {
			Version, Kind  byte
			ID, Length     uint16
			Padding, Spare byte
		}
		if err := binary.Read(c, binary.BigEndian, &h); err != nil {
			return stdout.String(), err
		}
		content := make([]byte, int(h.Length)+int(h.Padding))
		if _, err := io.ReadFull(c, content); err != nil {
			return stdout.String(), err
		}
		switch h.Kind {
		case endRequest:
			return stdout.String(), nil
		case stdoutRecord:
			stdout.Write(content[:h.Length])
		}
	}
}
