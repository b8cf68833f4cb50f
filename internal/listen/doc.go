// Package listen opens the sockets on which web servers reach us, and protects net/http and
// net/http/fcgi from the clients that connect.
//
// # Addresses
//
//	unix:/run/mailauthd/fastcgi.sock   a unix socket, with owner, group and mode
//	127.0.0.1:9000, [::1]:9000         TCP
//	fd:0                               an inherited listening socket, as spawn-fcgi passes it
//	systemd:NAME                       the socket with that FileDescriptorName= (sd_listen_fds(3))
//
// A unix socket never appears under its name before its permissions are set. If another process
// accepts connections there, the socket is left alone and Open returns an error. A stale socket
// is replaced. If two processes open the same socket at the same instant, one gets it and the
// other gets an error. While a socket is being opened, there is a file with its name and ".lock".
//
// # Accepting, and overload
//
// [FastCGI] and [HTTP] do not end when the process runs out of file descriptors. They wait, from
// 5 ms up to 1 s, and try again.
//
// Both bound the number of connections, in total and from one TCP address. Above a bound they
// evict another connection, so that an honest web server can still connect. If one address has
// too many, the evicted connection is one of that address. It is the one that has waited the
// longest since its last answer, or since it was opened. Connections with and without an answer
// are two kinds, and the evicted one is of the kind that has more. A connection whose request is being answered is never evicted. If all are, the new
// connection is closed. An HTTP request is being answered from the end of its header, except
// while net/http waits for its body.
//
// [HTTP] also bounds the lines of a request. net/http bounds everything else.
//
// # Closing and shutdown
//
// Close makes the kernel refuse new connections to a socket that this process has opened, accepts those that wait in
// the socket's queue, and closes the socket. On Linux no connection is lost between the last accept and the close: a
// unix socket refuses further connections, and a TCP socket ignores them. Elsewhere a TCP connection that is made in
// between is reset. An inherited socket is only closed: its queue is for the next process.
//
// Shutdown also waits for requests. A connection that has sent nothing has firstRequest for its first one. An idle
// connection is closed after lastChance. A client that sends another request on it at that moment gets an end of file;
// HTTP and FastCGI cannot prevent that, and nginx retries on a new connection.
//
// # The FastCGI guard
//
// [FastCGI] is a listener for net/http/fcgi, which has no bounds itself. It parses the records
// (FastCGI specification 1.0) and passes on only complete requests, usually with one read. It
// sends each answer with one write.
//
// A connection has one request at a time:
//
//	FCGI_GET_VALUES             the answer has FCGI_MPXS_CONNS = 0
//	a second BEGIN_REQUEST      END_REQUEST with FCGI_CANT_MPX_CONN
//	a role but responder        END_REQUEST with FCGI_UNKNOWN_ROLE
//	no slot at net/http/fcgi    END_REQUEST with FCGI_OVERLOADED
//	another management record   FCGI_UNKNOWN_TYPE
//	ABORT_REQUEST               ends a request that is not complete; for a complete one the
//	                            answer is sent as usual
//
// While requests wait for a slot, each connection gives up its slot after an answer. Records of
// requests that have ended or were refused are ignored. The body is read and discarded, because
// auth_http sends none.
//
// Anything else closes the connection without an answer: broken framing; a name-value pair of a
// wrong length or without a name; a duplicate header (HTTP_*), of which net/http/fcgi would keep
// only the last; anything over a limit. The reason is logged, once a minute. net/http/fcgi itself
// answers a request without REQUEST_METHOD, or with a bad SERVER_PROTOCOL or URI: with status 500
// and without Auth-Status, which lets no login in. That is logged in the same way.
//
// # Limits
//
// Each listening socket has its own:
//
//	MaxConns        512      connections (Apache has at most 400 by default)
//	MaxPeerConns    256      connections from one TCP address
//	MaxRequests     256      slots for FastCGI requests at net/http/fcgi, 64 to 128 KiB each
//	QueueTimeout    5 s      how long a complete request waits for such a slot
//	RequestTimeout  10 s     from the first to the last byte of a FastCGI request
//	IdleTimeout     120 s    between FastCGI requests; nginx closes after its keepalive_timeout, 60 s
//	SendTimeout     1 s      how long a peer may block a write (at most twice that)
//	MaxParams       65,535   bytes of all encoded variables of a request
//	SmallParams     8 KiB    bytes of variables above which a request is a large one
//	MaxLarge        32       large requests at a time
//	MaxVariables    128      variables of a request
//	MaxName         256      bytes of a variable's name
//	MaxBody         8 KiB    body of a FastCGI request
//	MaxLines        256      lines of an HTTP request
//	queueTime       1 s      how long Close waits for the connections in the queue to be accepted
//	firstRequest    5 s      at a shutdown: from the accept to the first byte of the first request
//	lastChance      20 ms    at a shutdown: how long an idle connection stays open
//	maxRefused      1024     addresses of refused clients that are remembered, for a minute
//	MaxPath         96       bytes of a unix socket's path
package listen

import "time"

// Limits of connections and requests.
const (
	MaxConns     = 512
	MaxPeerConns = 256
	MaxRequests  = 256
	MaxParams    = 1<<16 - 1 // the content of one record
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
	spareTime  = time.Second // how long an idle connection keeps its slot at net/http/fcgi

	// maxIdleSlots is the largest number of slots in use while idle connections keep theirs.
	// Above it, connections give up their slot after each answer. So there is a free slot even
	// while logins wait for mail servers that hang; package auth bounds their number.
	maxIdleSlots = 48
)
