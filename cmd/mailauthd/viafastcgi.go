package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// Records of FastCGI (specification 1.0, section 8).
const (
	fcgiVersion      = 1
	fcgiBeginRequest = 1
	fcgiEndRequest   = 3
	fcgiParams       = 4
	fcgiStdin        = 5
	fcgiStdout       = 6
	fcgiResponder    = 1
	maxFCGIContent   = 1<<16 - 1
)

// fcgiHeader begins each record.
type fcgiHeader struct {
	Version, Kind byte
	ID, Length    uint16
	Padding, _    byte
}

// askFastCGI makes one request as Apache and nginx make it for a request of nginx's mail proxy.
func (t target) askFastCGI(conn net.Conn, request []headerLine) (*viaAnswer, error) {
	pairs := fcgiPair(nil, "GATEWAY_INTERFACE", "CGI/1.1")
	pairs = fcgiPair(pairs, "SERVER_PROTOCOL", "HTTP/1.0")
	pairs = fcgiPair(pairs, "REQUEST_METHOD", http.MethodGet)
	pairs = fcgiPair(pairs, "REQUEST_URI", t.path)
	pairs = fcgiPair(pairs, "SCRIPT_NAME", t.path)
	pairs = fcgiPair(pairs, "REMOTE_ADDR", "127.0.0.1") // where nginx is
	pairs = fcgiPair(pairs, "HTTP_HOST", t.host)
	for _, line := range request {
		pairs = fcgiPair(pairs, "HTTP_"+strings.ToUpper(strings.ReplaceAll(line.name, "-", "_")), line.value)
	}
	b := fcgiRecord(nil, fcgiBeginRequest, []byte{0, fcgiResponder, 0, 0, 0, 0, 0, 0}) // close the connection after it
	for len(pairs) > 0 {
		n := min(len(pairs), maxFCGIContent)
		b = fcgiRecord(b, fcgiParams, pairs[:n])
		pairs = pairs[n:]
	}
	b = fcgiRecord(fcgiRecord(b, fcgiParams, nil), fcgiStdin, nil)
	if _, err := conn.Write(b); err != nil {
		return nil, unanswered(err)
	}
	stdout, err := readFastCGI(conn)
	if err != nil {
		return nil, err
	}
	return parseCGI(stdout)
}

// fcgiPair appends a name and a value, with their lengths in the long form.
func fcgiPair(b []byte, name, value string) []byte {
	b = binary.BigEndian.AppendUint32(b, 1<<31|uint32(len(name)))
	b = binary.BigEndian.AppendUint32(b, 1<<31|uint32(len(value)))
	return append(append(b, name...), value...)
}

func fcgiRecord(b []byte, kind byte, content []byte) []byte {
	b = append(b, fcgiVersion, kind, 0, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(content)))
	return append(append(b, 0, 0), content...)
}

// readFastCGI returns what the responder writes to its standard output.
func readFastCGI(conn net.Conn) (string, error) {
	in := bufio.NewReader(conn)
	var stdout strings.Builder
	for stdout.Len() < maxViaAnswer {
		var h fcgiHeader
		if err := binary.Read(in, binary.BigEndian, &h); err != nil {
			return "", unanswered(err)
		}
		if h.Version != fcgiVersion {
			return "", errNotFastCGI
		}
		content := make([]byte, int(h.Length)+int(h.Padding))
		if _, err := io.ReadFull(in, content); err != nil {
			return "", unanswered(err)
		}
		switch content = content[:h.Length]; {
		case h.Kind == fcgiStdout:
			stdout.Write(content)
		case h.Kind == fcgiEndRequest && len(content) >= 5 && content[4] != 0:
			return "", fmt.Errorf("the responder refused the request (protocolStatus %d: it is overloaded, or no responder)", content[4])
		case h.Kind == fcgiEndRequest:
			return stdout.String(), nil
		}
	}
	return stdout.String(), nil
}

// parseCGI reads a CGI response (RFC 3875 section 6).
func parseCGI(stdout string) (*viaAnswer, error) {
	in := bufio.NewReader(strings.NewReader(stdout))
	header, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the FastCGI answer has no headers")
	}
	body, _ := io.ReadAll(in) // from memory
	a := &viaAnswer{http.StatusOK, "200 OK", http.Header(header), string(body)}
	if status := a.header.Get("Status"); status != "" {
		code, _, _ := strings.Cut(status, " ")
		a.status = status
		a.code, _ = strconv.Atoi(code)
		a.header.Del("Status")
	}
	return a, nil
}
