package app

import (
	"sync"
	"time"

	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// beat is how often it is looked whether a run moves, at least.
const beat = time.Second

// pulse knows when a run has moved last.
type pulse struct {
	mu    sync.Mutex
	last  sensor.Progress
	moved time.Time
}

// start looks at a run every so often, until stop is called, and tells when it has moved.
func (p *pulse) start(interval time.Duration, progress func() sensor.Progress, felt func(at time.Time)) (stop func()) {
	p.feel(progress(), time.Now())
	return every(interval, func() {
		if at := time.Now(); p.feel(progress(), at) {
			felt(at)
		}
	})
}

// feel notes how far a run has come, and reports whether it has moved, or had nothing to do.
func (p *pulse) feel(now sensor.Progress, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	moved := p.moved.IsZero() || now.Since(p.last)
	if moved {
		p.moved = at
	}
	p.last = now
	return moved
}

// stuck is for how long a run has not moved.
func (p *pulse) stuck() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.moved)
}

// every does something at intervals until stop is called, which waits for it.
func every(interval time.Duration, do func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				do()
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
