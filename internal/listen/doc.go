// Package listen opens the sockets that web servers reach us by, and guards what is
// behind them from the clients that connect.
//
// # Addresses
//
//	unix:/run/mailauthd/fastcgi.sock   a unix socket, with owner, group and mode
//	127.0.0.1:9000, [::1]:9000         TCP
//	fd:0                               an inherited listening socket, as spawn-fcgi passes it
//	systemd:NAME                       a socket of that FileDescriptorName= (sd_listen_fds(3))
//
// A unix socket appears under its name with its permissions set, never before. If
// another process answers there it is left alone; a stale one is replaced. Of two
// processes that start at the same instant one gets the socket and the other an error: a
// file beside it, its name with ".lock", exists for that moment.
//
// # Accepting
//
// Running out of file descriptors must not end a listener: [FastCGI] and [HTTP] back off,
// from 5 ms up to 1 s, and try again.
//
// Both bound the connections, in all and from one TCP address. For one too many they end another, so that
// an honest web server still gets in: the one that has waited the longest since its last answer, or since it was
// opened, of the same address if that address has too many. Connections with and without an answer are two kinds, and the
// one that is ended is of the kind that has more. A connection is not ended while its request is being answered; if that is so for all, the new one is closed.
// An HTTP request is being answered from the end of its header, except while net/http waits for its body.
//
// [HTTP] also bounds the lines of a request. What else can be bounded there, net/http bounds.
//
// # The FastCGI guard
//
// [FastCGI] is a listener for net/http/fcgi, which itself bounds nothing. The guard frames the
// records (FastCGI specification 1.0) and passes on complete requests, by one read in the
// common case; it collects each answer into one write.
//
// A connection has one request at a time. FCGI_GET_VALUES says so, and another
// BEGIN_REQUEST meanwhile gets END_REQUEST with FCGI_CANT_MPX_CONN. Another role than
// responder gets FCGI_UNKNOWN_ROLE, an unknown management record FCGI_UNKNOWN_TYPE, a request
// that gets no slot at net/http/fcgi FCGI_OVERLOADED. While requests wait for a slot, each connection gives its own
// back after an answer. ABORT_REQUEST ends a request that is not complete; of one that is, the answer comes as soon
// as it can. Records of requests that are over or were refused are ignored. The body is read and thrown away:
// auth_http has none.
//
// The connection is closed without a word for anything else: broken framing; a name-value
// pair that does not end where it should, or without a name; a header (HTTP_*) that stands
// there twice, of which net/http/fcgi would keep the last only; whatever is over a
// limit. The reason is logged, once a minute. A request without REQUEST_METHOD or with a bad
// SERVER_PROTOCOL or URI is answered by net/http/fcgi with status 500 and no
// Auth-Status, which lets no login in, and logged in the same way.
//
// # Limits
//
// All of them are for one listening socket.
//
//	MaxConns        512      connections (Apache has at most 400 by default)
//	MaxPeerConns    256      of these from one TCP address
//	MaxRequests     256      slots for FastCGI requests at net/http/fcgi, of 64 KiB to 128 KiB each
//	QueueTimeout    5 s      that a complete request waits to be one of them
//	RequestTimeout  10 s     from the first byte of a FastCGI request to the last
//	IdleTimeout     120 s    between them; nginx closes after its keepalive_timeout, 60 s
//	SendTimeout     1 s      that a peer may keep us from sending (twice that at most)
//	MaxParams       65,535   bytes of all variables of a request, as they are encoded
//	SmallParams     8 KiB    of these; a request with more is a large one
//	MaxLarge        32       large requests at a time
//	MaxVariables    128      variables of a request
//	MaxName         256      bytes of a variable's name
//	MaxBody         8 KiB    of a FastCGI request
//	MaxLines        256      lines of an HTTP request
//	maxRefused      1024     addresses of refused clients that are remembered, for a minute
//	MaxPath         96       bytes of a unix socket's path
package listen

import "time"

// Limits of connections and requests.
const (
	MaxConns     = 512
	MaxPeerConns = 256
	MaxRequests  = 256
	MaxParams    = 1<<16 - 1 // what one record holds
	SmallParams  = 8 << 10
	MaxLarge     = 32
	MaxVariables = 128
	MaxName      = 256
	MaxBody      = 8 << 10
	MaxLines     = 256

	QueueTimeout   = 5 * time.Second
	RequestTimeout = 10 * time.Second
	IdleTimeout    = 120 * time.Second
	SendTimeout    = time.Second
)

const (
	readBuffer = 4 << 10     // of a connection; most requests have less than 1 KiB
	maxSmall   = 256         // content of BEGIN_REQUEST and GET_VALUES
	spareTime  = time.Second // that an idle connection stays at net/http/fcgi

	// maxIdleSlots is how many slots may be taken while connections still keep theirs when idle; with more, they leave
	// net/http/fcgi after each answer. So there is a free slot even while mail servers that hang hold as many as package auth lets them.
	maxIdleSlots = 48
)
