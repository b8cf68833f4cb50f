package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"mailauthd/internal/users"
)

// MaxHashWait bounds how long a login waits for its turn to compute a hash: nginx
// gives up on us after 60 s.
const MaxHashWait = 20 * time.Second

// Slots bound how many hashes are computed at a time.
type Slots chan struct{}

// NewSlots makes n slots.
func NewSlots(n int) Slots { return make(Slots, n) }

func (s Slots) acquire(ctx context.Context) (release func(), err error) {
	release = func() { <-s }
	select {
	case s <- struct{}{}:
		return release, nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, MaxHashWait)
	defer cancel()
	select {
	case s <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no turn to compute a hash in time: %w", ctx.Err())
	}
}

// MaxStrangers bounds how many strangers wait for a turn to compute a hash. It is under
// listen.MaxRequests, so that others still find a place there, even while a server hangs.
const MaxStrangers = 48

// MaxFromNetwork bounds how many of them come from one network, so that a single one does not take all
// places by passwords that the throttle does not count, for they are old.
const MaxFromNetwork = 16

// Strangers are logins from networks that the throttle does not know their users from:
// guesses, most of them, when there are many. All others go first.
type Strangers struct {
	turns Slots // as many as there are hashes at a time: no more of them stand in line with the others

	mu   sync.Mutex
	all  int                  // who wait or have their turn
	from map[netip.Prefix]int // the same by network
}

// NewStrangers makes what holds back strangers at the slots.
func NewStrangers(hashing Slots) *Strangers {
	return &Strangers{turns: NewSlots(cap(hashing)), from: make(map[netip.Prefix]int)}
}

var errCrowd = errors.New("too many logins from networks that their users are not known from wait to compute a hash")

func (s *Strangers) acquire(ctx context.Context, hashing Slots) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, MaxHashWait)
	defer cancel()
	endTurn, err := s.turns.acquire(ctx)
	if err != nil {
		return nil, err
	}
	free, err := hashing.acquire(ctx)
	if err != nil {
		endTurn()
		return nil, err
	}
	return func() { free(); endTurn() }, nil
}

func (s *Strangers) enter(network netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= MaxStrangers || s.from[network] >= MaxFromNetwork {
		return false
	}
	s.all++
	s.from[network]++
	return true
}

func (s *Strangers) leave(network netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.from[network]--; s.from[network] == 0 {
		delete(s.from, network)
	}
}

// turn waits until a login may compute a hash.
func (a *Authenticator) turn(ctx context.Context, l *login) (release func(), err error) {
	if !a.isStranger(l) {
		return a.Hashing.acquire(ctx)
	}
	return a.Strangers.acquire(ctx, a.Hashing)
}

func (a *Authenticator) isStranger(l *login) bool { return a.Throttle != nil && !l.throttled.Known }

// MaxAsking bounds the logins that wait for mail servers, all of them together: as many as wait for one that
// hangs, so that two do not take all places of listen.MaxRequests.
const MaxAsking = 200

var errAsking = errors.New("too many logins wait for mail servers")

// bounded decides a login that may have to wait, with others for the same answer too: for a hash of the
// user u, or, if that is nil, for a mail server.
func (a *Authenticator) bounded(l *login, u *users.User, decide func() verdict) verdict {
	switch {
	case u == nil && a.Asking != nil:
		select {
		case a.Asking <- struct{}{}:
			defer func() { <-a.Asking }()
		default:
			return tempFail("%v", errAsking)
		}
	case u != nil && a.isStranger(l):
		network := l.throttled.Network
		if !a.Strangers.enter(network) {
			return tempFail("%v", errCrowd)
		}
		defer a.Strangers.leave(network)
	}
	return decide()
}
