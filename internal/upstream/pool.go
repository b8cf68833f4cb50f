package upstream

import (
	"context"
	"errors"
	"fmt"
)

// ErrBusy is the error of a login that had to wait for others so long that its time
// ended. It says nothing about the server.
var ErrBusy = errors.New("all connections to the server are in use")

// Pool bounds the connections to one mail server, by all its protocols. It is safe for
// concurrent use.
type Pool struct {
	slots chan struct{} // an element for each login
}

// NewPool makes a pool of so many connections at a time.
func NewPool(connections int) *Pool { return &Pool{make(chan struct{}, connections)} }

// Login is [Server.Login]. The server's Timeout bounds the wait for other logins, too; one in
// vain ends with [ErrBusy].
func (p *Pool) Login(ctx context.Context, s Server, user, password string) (reply string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	waited := false
	select {
	case p.slots <- struct{}{}:
	default:
		waited = true
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return "", ErrBusy
		}
	}
	defer func() { <-p.slots }()
	reply, err = s.Login(ctx, user, password)
	if err != nil && waited && !errors.Is(err, ErrRejected) && ctx.Err() != nil { // the server had less time than it may take
		err = fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return reply, err
}
