package bpf

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// life is how far the generations have come. Times are monotonic.
type life struct {
	generation uint32
	began      int64 // when the generation did
	looked     int64 // when it was last looked how full it is
	summed     int64 // when the sources were last read
	over       uint64
}

const (
	lookEach = int64(250 * time.Millisecond)
	sumEach  = int64(time.Second)
	jitter   = int64(time.Millisecond) // of two clocks that are read one after the other
	// fullAt is the load at which a generation tells targets apart no longer: of those new
	// to it 0.8 % seem known.
	fullAt = 0.2
)

// begin starts the first generation.
func (c *Counter) begin() error {
	now, err := monotonic()
	if err != nil {
		return err
	}
	c.life = life{began: now, looked: now, summed: now}
	return c.tellTime(now)
}

// tellTime tells the program what time it is.
func (c *Counter) tellTime(now int64) error {
	offset := realClock().UnixNano() - now
	if d := offset - c.offset; d < -jitter || d > jitter { // else one moment would have many times
		c.offset = offset
	}
	if err := c.objects.Now.Set(uint64(now)); err != nil {
		return fmt.Errorf("setting the clock of the XDP program: %w", err)
	}
	return nil
}

// turn does what is due, and says what time it is, since 1970.
func (c *Counter) turn(b *Batch) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, os.ErrClosed
	}
	now, err := monotonic()
	if err != nil {
		return 0, err
	}
	err = c.tellTime(now)
	if l := &c.life; now-l.looked >= lookEach {
		l.looked = now
		err = errors.Join(err, c.look(now), c.follow())
	}
	if l := &c.life; now-l.summed >= sumEach {
		err = errors.Join(err, c.sum(b, now))
		l.summed = now
	}
	return now + c.offset, err
}

// look sees how full the Bloom filter is, and begins a generation if it is time.
func (c *Counter) look(now int64) error {
	l := &c.life
	load := c.bloom.load(l.generation)
	c.seen.Load = max(load, c.bloom.load(l.generation+1))
	if now-l.began < Generation && load < fullAt {
		return nil
	}
	c.bloom.clear(l.generation + 1)
	l.generation++
	l.began = now
	c.seen.Generations++
	if err := c.objects.Generation.Set(l.generation); err != nil {
		return fmt.Errorf("beginning a generation of the XDP program: %w", err)
	}
	return nil
}

// sum reads the sources over their budget, if there are any.
func (c *Counter) sum(b *Batch, now int64) error {
	s, err := c.count()
	if err != nil {
		return err
	}
	if s.OverBudget == c.life.over && c.sources.present == 0 {
		return nil
	}
	c.life.over = s.OverBudget
	b.Summaries = c.sources.append(b.Summaries, c.life.summed-sumEach, now, c.offset)
	c.seen.Sources = c.sources.present
	return nil
}
