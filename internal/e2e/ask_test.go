package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"time"
)

// ask sends the request that nginx sends for an IMAP login, and returns the headers of the answer. It does not
// escape the user name and password.
func ask(address, user, password string) (textproto.MIMEHeader, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /mail/auth.php HTTP/1.0\r\nHost: 127.0.0.1\r\n"+
		"Auth-Method: plain\r\nAuth-User: %s\r\nAuth-Pass: %s\r\nAuth-Protocol: imap\r\n"+
		"Auth-Login-Attempt: 1\r\nClient-IP: 127.0.0.1\r\nClient-Host: [UNAVAILABLE]\r\n\r\n",
		user, password)
	if err != nil {
		return nil, err
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	status, err := r.ReadLine()
	if err != nil {
		return nil, err
	}
	header, err := r.ReadMIMEHeader()
	if err == nil && header.Get("Auth-Status") == "" {
		err = errors.New("no Auth-Status: " + status)
	}
	return header, err
}
