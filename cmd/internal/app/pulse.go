package app

import (
	"sync"
	"time"

	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// beat is how often it is looked whether a run moves.
const beat = time.Second

// pulse knows when a run has moved last.
type pulse struct {
	mu    sync.Mutex
	last  sensor.Progress
	moved time.Time
}

// start looks at a run every beat and tells each that is felt, until stop is called.
func (p *pulse) start(progress func() sensor.Progress, felt func()) (stop func()) {
	p.feel(progress(), time.Now())
	return every(beat, func() {
		if p.feel(progress(), time.Now()) {
			felt()
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
