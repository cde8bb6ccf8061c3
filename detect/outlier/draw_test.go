package outlier

import (
	"math"
	"math/rand/v2"
)

// family draws the distinct values of an ordinary hour.
type family struct {
	name string
	draw func(*rand.Rand) int
}

func families() []family {
	return []family{
		{"Poisson(2)", func(r *rand.Rand) int { return poisson(r, 2) }},
		{"sparse", func(r *rand.Rand) int {
			if r.IntN(50) > 0 {
				return 0
			}
			return 1 + r.IntN(3)
		}},
		{"negative binomial(2, k=0.3)", func(r *rand.Rand) int { return poisson(r, gamma(r, 0.3)*2/0.3) }},
		{"lognormal(1, 1)", func(r *rand.Rand) int { return int(math.Exp(1 + r.NormFloat64())) }},
	}
}

func poisson(r *rand.Rand, mean float64) int {
	// In parts, for exp(-mean) must not vanish.
	n := 0
	for ; mean > 500; mean -= 500 {
		n += poisson(r, 500)
	}
	p, limit := 1.0, math.Exp(-mean)
	for {
		if p *= r.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// gamma is Marsaglia and Tsang's method.
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// hourOf is the start of the n-th hour.
func hourOf(n int) int64 { return int64(n) * nsPerHour }

// nthKey is a pair that shares neither source nor destination with another.
func nthKey(n int) Key {
	return Key{spread(uint64(n), 1), spread(uint64(n), 2), spread(uint64(n), 3)}
}

// busy lets a pair have so many values in an hour, and returns what was found.
func busy(t *Table, k Key, count, hour int) (f Finding, found bool) {
	for v := range count {
		if got, ok := t.Observe(k, uint64(v), hourOf(hour)+int64(v)); ok {
			f, found = got, true
		}
	}
	return f, found
}
