package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
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

// Strangers are logins from networks that the throttle does not know their users from:
// guesses, most of them, when there are many. All others go first.
type Strangers struct {
	room  Slots // for those who wait or have their turn
	turns Slots // as many as there are hashes at a time: no more of them stand in line with the others
}

// NewStrangers makes what holds back strangers at the slots.
func NewStrangers(hashing Slots) *Strangers {
	return &Strangers{room: NewSlots(MaxStrangers), turns: NewSlots(cap(hashing))}
}

var errCrowd = errors.New("too many logins from networks that their users are not known from wait to compute a hash")

func (s *Strangers) acquire(ctx context.Context, hashing Slots) (release func(), err error) {
	select {
	case s.room <- struct{}{}:
	default:
		return nil, errCrowd
	}
	ctx, cancel := context.WithTimeout(ctx, MaxHashWait)
	defer cancel()
	endTurn, err := s.turns.acquire(ctx)
	if err != nil {
		<-s.room
		return nil, err
	}
	leave, err := hashing.acquire(ctx)
	if err != nil {
		endTurn()
		<-s.room
		return nil, err
	}
	return func() { leave(); endTurn(); <-s.room }, nil
}

// turn waits until a login may compute a hash.
func (a *Authenticator) turn(ctx context.Context, l *login) (release func(), err error) {
	if a.Throttle == nil || l.throttled.Known {
		return a.Hashing.acquire(ctx)
	}
	return a.Strangers.acquire(ctx, a.Hashing)
}
