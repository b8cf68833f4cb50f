package testport

import (
	"errors"
	"testing"
)

// TestPoolsAreDisjoint takes more ports than a range has from two pools, as two processes would.
func TestPoolsAreDisjoint(t *testing.T) {
	a, b := &pool{unseen: lowest}, &pool{unseen: lowest}
	t.Cleanup(func() { a.close(); b.close() })
	seen := make(map[int]bool)
	for range rangeSize + 1 {
		for _, p := range []*pool{a, b} {
			port, err := p.free()
			if err != nil {
				t.Fatal(err)
			}
			if seen[port] || port < lowest || port >= highest {
				t.Fatalf("port %d", port)
			}
			seen[port] = true
		}
	}
}

func TestFreeSkipsUsedPorts(t *testing.T) {
	p := &pool{unseen: lowest}
	t.Cleanup(p.close)
	first, err := p.free()
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen(first + 1)
	if err != nil {
		t.Skip(err) // used already
	}
	defer l.Close()
	if second, err := p.free(); second <= first+1 || err != nil {
		t.Errorf("port %d, %v after %d, while %d is used", second, err, first, first+1)
	}
}

func TestNoPortIsLeft(t *testing.T) {
	p := &pool{unseen: highest}
	if port, err := p.free(); !errors.Is(err, errNone) {
		t.Errorf("port %d, %v", port, err)
	}
}

func TestFree(t *testing.T) {
	if a, b := Free(t), Free(t); a == b {
		t.Errorf("port %d twice", a)
	}
}

func (p *pool) close() {
	for _, l := range p.held {
		l.Close()
	}
}
