package outlier

import "math"

// rules are the numbers of a Config that a baseline goes by.
type rules struct {
	history   uint32
	floor     float64
	sigmas    float64
	weight    float64 // of the latest hour
	keep      float64 // 1 - weight
	unclipped bool    // what a test does without clipping
}

// baseline is what is known of earlier hours.
type baseline struct {
	mean   float64
	spread float64 // the sum of squared deviations up to rules.history hours, the variance after
	n      uint32  // hours
}

// add takes in an hour that is over.
//
// A product is converted to float64, here and below, wherever a sum follows: this
// forbids the compiler to fuse the two.
func (b *baseline) add(x float64, r *rules) {
	if !r.unclipped {
		x = min(x, max(r.floor, b.threshold(r)))
	}
	d := x - b.mean
	if b.n < r.history {
		b.n++
		b.mean += d / float64(b.n)
		b.spread += float64(d * (x - b.mean))
		if b.n == r.history {
			b.spread /= float64(b.n - 1)
		}
		return
	}
	b.count(1)
	b.mean += float64(r.weight * d)
	b.spread = r.keep * (b.spread + float64(float64(r.weight*d)*d))
}

// quiet takes in hours in which there was nothing. However many they are, it takes
// a bounded time: from m and v, g zeros on end lead to
//
//	m·k^g   and   v·k^g + m²·k^g·(1-k^g),   k = 1 - weight.
func (b *baseline) quiet(hours uint32, r *rules) {
	for ; hours > 0 && b.n < r.history; hours-- {
		b.add(0, r)
	}
	if hours == 0 {
		return
	}
	b.count(hours)
	kept := power(r.keep, hours)
	gone := float64(float64(b.mean*b.mean) * float64(1-kept))
	b.spread = kept * (b.spread + gone)
	b.mean *= kept
}

func (b *baseline) count(hours uint32) {
	b.n += min(hours, math.MaxUint32-b.n)
}

// deviation is the standard deviation, 0 while there is no telling.
func (b *baseline) deviation(r *rules) float64 {
	switch {
	case b.n >= r.history:
		return math.Sqrt(b.spread)
	case b.n >= 2:
		return math.Sqrt(b.spread / float64(b.n-1))
	}
	return 0
}

// threshold is what an ordinary hour does not exceed. A deviation under one is
// taken for one: counts vary by that.
func (b *baseline) threshold(r *rules) float64 {
	return b.mean + float64(r.sigmas*max(b.deviation(r), 1))
}

// power is x to the n-th, by squaring: the same bits everywhere, which math.Pow
// does not promise.
func power(x float64, n uint32) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			p *= x
		}
		x *= x
	}
	return p
}
