package route

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// wantAddr checks the address of a host; "" is none.
func wantAddr(t *testing.T, r *Resolver, host, want string) {
	t.Helper()
	a, ok := r.Addr(host)
	if want == "" {
		if ok || a.IsValid() {
			t.Errorf("Addr(%q) = %v, %v; want none", host, a, ok)
		}
	} else if !ok || a.String() != want {
		t.Errorf("Addr(%q) = %v, %v; want %s", host, a, ok, want)
	}
}

func TestAddressesNeedNoLookup(t *testing.T) {
	d := newDNS()
	r := NewResolver(d.lookup)
	hosts := []string{"192.0.2.1", "2001:db8::1", "::1"}
	if errs := r.Watch(t.Context(), Names{Hosts: hosts}); len(errs) > 0 {
		t.Errorf("Watch = %v", errs)
	}
	for _, host := range hosts {
		wantAddr(t, r, host, host)
	}
	wantAddr(t, r, "192.0.2.99", "192.0.2.99") // watched or not
	wantAddr(t, r, "[2001:db8::1]", "")
	wantAddr(t, r, "", "")
	if asked := d.questions(); len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}

func TestWatchResolves(t *testing.T) {
	d := newDNS()
	d.set("mail1.example", "192.0.2.1", "192.0.2.2")
	d.set("mail2.example", "::ffff:192.0.2.3")
	d.set("mail3.example", "2001:db8::1")
	d.set("empty.example")
	r := NewResolver(d.lookup)
	wantAddr(t, r, "mail1.example", "")
	errs := r.Watch(t.Context(), Names{Hosts: []string{"mail1.example", "mail2.example", "192.0.2.9", "mail3.example", "empty.example", "none.example"}})
	var got []string
	for _, err := range errs {
		got = append(got, err.Error())
	}
	if want := []string{`host "empty.example": no address`, `host "none.example": no such host`}; !slices.Equal(got, want) {
		t.Errorf("Watch = %q, want %q", got, want)
	}
	if len(errs) == 2 && !errors.Is(errs[1], errNoSuchHost) {
		t.Errorf("%v does not wrap %v", errs[1], errNoSuchHost)
	}
	wantAddr(t, r, "mail1.example", "192.0.2.1")
	wantAddr(t, r, "mail2.example", "192.0.2.3")
	wantAddr(t, r, "mail3.example", "2001:db8::1")
	wantAddr(t, r, "empty.example", "")
	wantAddr(t, r, "none.example", "")
	wantAddr(t, r, "unwatched.example", "")
	want := []string{"ip empty.example", "ip mail1.example", "ip mail2.example", "ip mail3.example", "ip none.example"}
	if asked := d.questions(); !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// A reload does not look up names that have addresses.
func TestWatchAgain(t *testing.T) {
	d := newDNS()
	d.set("kept.example", "192.0.2.1")
	r := NewResolver(d.lookup)
	r.Watch(t.Context(), Names{Hosts: []string{"kept.example"}})
	d.questions()
	d.fail("kept.example")
	d.set("new.example", "192.0.2.3")
	if errs := r.Watch(t.Context(), Names{Hosts: []string{"kept.example", "new.example"}}); len(errs) > 0 {
		t.Errorf("Watch = %v", errs)
	}
	if asked := d.questions(); !slices.Equal(asked, []string{"ip new.example"}) {
		t.Errorf("asked for %q", asked)
	}
	wantAddr(t, r, "kept.example", "192.0.2.1")
	wantAddr(t, r, "new.example", "192.0.2.3")
}

// run runs a resolver in the background until the end of the test.
func run(t *testing.T, r *Resolver) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		r.Run(ctx, func(error) {})
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestRunRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		d.set("mail.example", "192.0.2.1")
		r := NewResolver(d.lookup)
		r.Watch(t.Context(), Names{Hosts: []string{"mail.example", "late.example", "192.0.2.9"}})
		run(t, r)
		d.questions()

		d.set("mail.example", "192.0.2.2")
		d.set("late.example", "192.0.2.3")
		<-time.After(RetryInterval - 1)
		synctest.Wait()
		if asked := d.questions(); len(asked) > 0 {
			t.Errorf("asked early for %q", asked)
		}
		wantAddr(t, r, "late.example", "")
		<-time.After(1)
		synctest.Wait()
		wantAddr(t, r, "late.example", "192.0.2.3")
		if asked := d.questions(); !slices.Equal(asked, []string{"ip late.example"}) {
			t.Errorf("asked for %q, want only the name without an address", asked)
		}
		<-time.After(ResolveInterval - RetryInterval - 1)
		synctest.Wait()
		if asked := d.questions(); len(asked) > 0 {
			t.Errorf("asked early for %q", asked)
		}
		wantAddr(t, r, "mail.example", "192.0.2.1")
		<-time.After(1)
		synctest.Wait()
		wantAddr(t, r, "mail.example", "192.0.2.2")
		if asked := d.questions(); !slices.Equal(asked, []string{"ip late.example", "ip mail.example"}) {
			t.Errorf("asked for %q", asked)
		}
	})
}

func TestLastGoodAddressIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		d.set("mail.example", "192.0.2.1")
		r := NewResolver(d.lookup)
		r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}})
		run(t, r)
		step := func(want string) {
			t.Helper()
			<-time.After(ResolveInterval)
			synctest.Wait()
			wantAddr(t, r, "mail.example", want)
		}
		d.fail("mail.example")
		step("192.0.2.1")
		d.set("mail.example") // an answer without an address
		step("192.0.2.1")
		d.set("mail.example", "192.0.2.2")
		step("192.0.2.2")
	})
}

func TestSlowDNSIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		for _, host := range []string{"never1.example", "never2.example"} {
			d.set(host, "192.0.2.1")
			d.delay[host] = time.Hour
		}
		d.set("slow.example", "192.0.2.2")
		d.delay["slow.example"] = ResolveTimeout - 1
		r := NewResolver(d.lookup)
		start := time.Now()
		errs := r.Watch(t.Context(), Names{Hosts: []string{"never1.example", "slow.example", "never2.example"}})
		if took := time.Since(start); took != ResolveTimeout {
			t.Errorf("Watch took %v, want %v", took, ResolveTimeout)
		}
		if len(errs) != 2 || !errors.Is(errs[0], context.DeadlineExceeded) || !errors.Is(errs[1], context.DeadlineExceeded) {
			t.Errorf("Watch = %v, want two deadlines exceeded", errs)
		}
		wantAddr(t, r, "slow.example", "192.0.2.2")
		wantAddr(t, r, "never1.example", "")
	})
}

// A name that a reload has removed stays for the requests that began before, and is removed
// after that, also if a lookup was under way.
func TestRemovedNamesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		d.set("gone.example", "192.0.2.1")
		d.set("kept.example", "192.0.2.2")
		r := NewResolver(d.lookup)
		r.Watch(t.Context(), Names{Hosts: []string{"gone.example", "kept.example"}})
		d.delay["gone.example"] = 3 * time.Second
		run(t, r)
		<-time.After(ResolveInterval + time.Second) // the lookup is under way
		r.Watch(t.Context(), Names{Hosts: []string{"kept.example"}})
		wantAddr(t, r, "gone.example", "192.0.2.1")
		<-time.After(ResolveInterval)
		synctest.Wait()
		wantAddr(t, r, "gone.example", "")
		wantAddr(t, r, "kept.example", "192.0.2.2")
		d.questions()
		<-time.After(ResolveInterval)
		synctest.Wait()
		if asked := d.questions(); !slices.Equal(asked, []string{"ip kept.example"}) {
			t.Errorf("asked for %q", asked)
		}
	})
}

func TestRunEndsDuringALookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		d.delay["mail.example"] = time.Hour
		r := NewResolver(d.lookup)
		r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			r.Run(ctx, func(error) {})
			close(done)
		}()
		<-time.After(ResolveInterval)
		synctest.Wait()
		canceled := time.Now()
		cancel()
		<-done
		if late := time.Since(canceled); late > 0 {
			t.Errorf("Run ended %v after its context", late)
		}
	})
}
