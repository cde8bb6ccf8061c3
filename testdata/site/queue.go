package site

import (
	"math"
	"math/rand/v2"
	"time"
)

// queue holds items until their time; those of one time leave in the order in
// which they came.
type queue[T any] struct {
	heap []waiting[T]
	seq  uint64
}

type waiting[T any] struct {
	time int64
	seq  uint64
	item T
}

func (w *waiting[T]) before(o *waiting[T]) bool {
	return w.time < o.time || w.time == o.time && w.seq < o.seq
}

func (q *queue[T]) first() (at int64, waits bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].time, true
}

func (q *queue[T]) push(at int64, item T) {
	q.seq++
	q.heap = append(q.heap, waiting[T]{at, q.seq, item})
	h := q.heap
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *queue[T]) pop() T {
	h := q.heap
	item := h[0].item
	last := len(h) - 1
	h[0] = h[last]
	h[last] = waiting[T]{}
	h = h[:last]
	q.heap = h
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if least == i {
			return item
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// at lets something happen at a time; what would happen after the end does not.
func (s *Site) at(t int64, do func(t int64)) {
	if t < s.end {
		s.events.push(t, do)
	}
}

// every lets something happen at each multiple of a period of the day, after a
// delay of up to jitter.
func (s *Site) every(r *rand.Rand, period, jitter time.Duration, do func(t int64)) {
	var tick func(t int64)
	tick = func(t int64) {
		s.at(t+upTo(r, jitter), do)
		s.at(t+int64(period), tick)
	}
	past := (s.start - morning + int64(period) - 1) / int64(period)
	s.at(morning+past*int64(period), tick)
}

// often lets something happen at random, so many times an hour at the busiest
// hour, and by a curve less often at others.
func (s *Site) often(r *rand.Rand, perHour float64, c curve, do func(t int64)) {
	var next func(t int64)
	gap := func() int64 { return int64(r.ExpFloat64() * float64(time.Hour) / perHour) }
	next = func(t int64) {
		if r.Float64() < c.at(t) {
			do(t)
		}
		s.at(t+gap(), next)
	}
	s.at(s.start+gap(), next)
}

// once lets something happen at a time of the day, if that is asked for.
func (s *Site) once(clock string, do func(t int64)) {
	if t := timeOf(clock); t >= s.start {
		s.at(t, do)
	}
}

// timeOf is when "15:04" is; times before 06:00 are those of the next morning.
func timeOf(clock string) int64 {
	at, err := time.Parse("15:04", clock)
	if err != nil {
		panic("site: " + err.Error()) // a mistake in this package
	}
	since := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute - 6*time.Hour
	if since < 0 {
		since += 24 * time.Hour
	}
	return morning + int64(since)
}

// hours reports whether t lies between two times of the day.
func hours(t int64, from, to string) bool { return timeOf(from) <= t && t < timeOf(to) }

// curve is how busy each hour of the day is, from 0 to 1, 06:00 first.
type curve [24]float64

var (
	office = curve{.1, .4, 1, 1, .95, .9, .6, .85, .9, .9, .85, .5, .2, .1, .08, .06, .05, .05, .04, .04, .04, .04, .04, .06}
	public = curve{.3, .5, .8, 1, 1, .9, .9, .9, .9, .9, .9, .8, .8, .9, 1, .9, .7, .5, .3, .2, .15, .15, .15, .2}
	steady = curve{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
)

func (c *curve) at(t int64) float64 {
	h := int((t - morning) / int64(time.Hour) % 24)
	return c[h]
}

// upTo is a random time below d.
func upTo(r *rand.Rand, d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return r.Int64N(int64(d))
}

func between(r *rand.Rand, low, high time.Duration) int64 { return int64(low) + upTo(r, high-low) }

// one in n.
func one(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

// popular picks a number below n, the low ones most often.
func popular(r *rand.Rand, n int) int {
	return min(n-1, int(float64(n)*math.Pow(r.Float64(), 2.5)))
}
