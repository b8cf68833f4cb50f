package config

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls work with each number from 0 to n-1, in order, on all cores. If work panics, as a parser may,
// inParallel returns an error without the value of the panic, which may contain a secret.
func inParallel(n int, work func(i int)) error {
	var (
		next     atomic.Int64
		panicked error
		once     sync.Once
		workers  sync.WaitGroup
	)
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					once.Do(func() { panicked = fmt.Errorf("panic (%T) while loading", p) })
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	workers.Wait()
	return panicked
}
