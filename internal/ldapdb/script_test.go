package ldapdb

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"mailauthd/internal/dovecot"
	"mailauthd/internal/testport"
)

// request is what a scripted server has received.
type request struct {
	net.Conn
	id int64
	op *ber.Packet
	n  int32 // counts the requests to the server, from 1
}

func (r request) tag() ber.Tag { return r.op.Tag }

// isRoot reports whether the request is the one that tries whether the server answers.
func (r request) isRoot() bool {
	return r.tag() == ldap.ApplicationSearchRequest && r.op.Children[0].Data.Len() == 0
}

// reply sends a message with the request's number.
func (r request) reply(op *ber.Packet, controls ...*ber.Packet) {
	m := ber.NewSequence("message")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, r.id, ""))
	m.AppendChild(op)
	for _, c := range controls {
		m.AppendChild(c)
	}
	r.Write(m.Bytes())
}

// result sends a result code and a message.
func (r request) result(code int, text string) {
	tags := map[ber.Tag]ber.Tag{
		ldap.ApplicationBindRequest:     ldap.ApplicationBindResponse,
		ldap.ApplicationSearchRequest:   ldap.ApplicationSearchResultDone,
		ldap.ApplicationExtendedRequest: ldap.ApplicationExtendedResponse,
	}
	r.reply(resultPacket(tags[r.tag()], code, text))
}

func resultPacket(tag ber.Tag, code int, text string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, ""))
	return p
}

// entry sends an entry without attributes.
func (r request) entry(dn string) {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, ""))
	p.AppendChild(ber.NewSequence(""))
	r.reply(p)
}

// normal answers as a directory does that has an entry for every name, and accepts the password "right".
func (r request) normal() {
	switch {
	case r.isRoot():
		r.result(0, "")
	case r.tag() == ldap.ApplicationSearchRequest:
		r.entry("uid=x," + base)
		r.result(0, "")
	case r.tag() == ldap.ApplicationBindRequest && r.op.Children[2].Data.String() != "right":
		r.result(49, "")
	default:
		r.result(0, "")
	}
}

// scripted is a server whose answers a test decides.
type scripted struct {
	uri      string
	accepted atomic.Int32
	requests atomic.Int32
}

// script starts a server that calls answer for every request. The connection ends when answer returns false.
func script(tb testing.TB, answer func(request) bool) *scripted {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	s := &scripted{uri: "ldap://" + l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			go s.serve(c, answer)
		}
	}()
	return s
}

func (s *scripted) serve(c net.Conn, answer func(request) bool) {
	defer c.Close()
	for {
		p, err := ber.ReadPacket(c)
		if err != nil || p.Children[1].Tag == ldap.ApplicationUnbindRequest {
			return
		}
		if !answer(request{c, p.Children[0].Value.(int64), p.Children[1], s.requests.Add(1)}) {
			return
		}
	}
}

// config searches anonymously and proves by a bind.
func (s *scripted) config(others ...string) Config {
	return Config{
		URIs: append([]string{s.uri}, others...), Base: base, Scope: "subtree", Filter: "(mail=%{user})", Bind: true,
		Reader: dovecot.Reader{}, MaxConnections: 4, Timeout: patience,
	}
}

// unused returns the URI of a server that refuses connections.
func unused(tb testing.TB) string {
	return "ldap://" + fmt.Sprint("127.0.0.1:", testport.Free(tb))
}
