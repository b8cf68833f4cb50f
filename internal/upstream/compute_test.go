package upstream

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"strings"
	"sync/atomic"
	"testing"
)

const scramGreeting = "* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"

// scramLogin logs in by SCRAM at a server that knows the password and asks for iterations.
func scramLogin(t *testing.T, ctx context.Context, iterations int, compute func(context.Context) (func(), error)) error {
	t.Helper()
	s := serverOn("imap", longTimeout)
	s.Mechanisms, s.Compute = []string{"SCRAM-SHA-256"}, compute
	f := scramServer{hash: sha256.New, right: password, lead: "+ ", yes: "001 OK yes\r\n", no: "001 NO no\r\n", iterations: iterations}
	_, _, err := loginTo(t, ctx, s, say(scramGreeting), f.step("001 AUTHENTICATE SCRAM-SHA-256"))
	return err
}

// TestCompute checks that Compute is called once, with the deadline of the login, and done after
// the iterations.
func TestCompute(t *testing.T) {
	asked, done := 0, 0
	err := scramLogin(t, t.Context(), MinIterations, func(ctx context.Context) (func(), error) {
		if asked++; done != 0 {
			t.Error("done before it began")
		}
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("no deadline")
		}
		return func() { done++ }, nil
	})
	if err != nil || asked != 1 || done != 1 {
		t.Errorf("%v, asked %d times, done %d times", err, asked, done)
	}
}

// TestComputeRefuses checks that an error of Compute ends the login and is wrapped.
func TestComputeRefuses(t *testing.T) {
	for _, refusal := range []error{errors.New("no slot"), context.DeadlineExceeded} {
		err := scramLogin(t, t.Context(), MinIterations, func(context.Context) (func(), error) { return nil, refusal })
		if !errors.Is(err, refusal) || outcomeOf(err) != tempfail || Unreachable(err) || errors.Is(err, ErrBusy) {
			t.Errorf("%v, unreachable %t, want %v", err, Unreachable(err), refusal)
		}
	}
}

// TestComputeEnds checks that done is called if the login ends during the iterations.
func TestComputeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := 0
	err := scramLogin(t, ctx, MaxIterations, func(context.Context) (func(), error) {
		cancel()
		return func() { done++ }, nil
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "no time for") || done != 1 {
		t.Errorf("%v, done %d times", err, done)
	}
}

// TestComputePanics checks that done is called if the iterations panic, and not before.
func TestComputePanics(t *testing.T) {
	done := 0
	x := &scram{ctx: t.Context(), compute: func(context.Context) (func(), error) { return func() { done++ }, nil }}
	x.hash = func() hash.Hash {
		if done != 0 {
			t.Error("done before the iterations")
		}
		panic("test")
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = x.salted([]byte("salt"), MinIterations)
		t.Error("no panic")
	}()
	if done != 1 {
		t.Errorf("done %d times", done)
	}
}

// TestComputeOnlySCRAM checks that other mechanisms do not call Compute.
func TestComputeOnlySCRAM(t *testing.T) {
	for _, x := range exchanges {
		s := serverOn(x.protocol, longTimeout)
		s.Mechanisms = x.mechanisms
		s.Compute = func(context.Context) (func(), error) {
			t.Errorf("%s %s is asked for", x.protocol, x.name)
			return func() {}, nil
		}
		if _, _, err := loginTo(t, t.Context(), s, transcript(x.text)...); err != nil {
			t.Error(err)
		}
	}
}

// TestPoolCompute checks that a warm connection calls Compute of the login that uses it, not that
// of the login after which it was opened.
func TestPoolCompute(t *testing.T) {
	f := newMultiServer(t, func(int) []step {
		server := scramServer{hash: sha256.New, right: password, lead: "+ ", yes: "001 OK yes\r\n"}
		return mayLeave([]step{say(scramGreeting), server.step("001 AUTHENTICATE SCRAM-SHA-256")})
	})
	p := NewPool(10, 1, 0)
	defer p.Close()
	var n connCounter
	p.open = n.open
	var asked [3]atomic.Int32
	for i := range asked {
		s := f.server("imap")
		s.Mechanisms = []string{"SCRAM-SHA-256"}
		s.Compute = func(context.Context) (func(), error) {
			asked[i].Add(1)
			return func() {}, nil
		}
		if _, err := p.Login(t.Context(), s, user, password); err != nil {
			t.Error(err)
		}
		until(t, "one is kept", func() bool { return p.kept() == 1 })
		if opened := int(n.opened.Load()); opened != i+2 {
			t.Errorf("%d connections opened after login %d, want %d", opened, i+1, i+2)
		}
	}
	for i := range asked {
		if got := asked[i].Load(); got != 1 {
			t.Errorf("login %d was asked for %d times", i+1, got)
		}
	}
}
