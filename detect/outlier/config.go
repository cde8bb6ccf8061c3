package outlier

import "math/bits"

// Config says what is far out, and how much is remembered. A number that is not
// positive stands for the default. Sizes are rounded up to powers of two.
type Config struct {
	// History is how many hours a baseline needs before it is compared with, and
	// how many it weighs alike before it begins to forget. Default 24, at least 2.
	History int
	// Floor is the least number of distinct values in an hour that is ever found.
	// Default 20.
	Floor int
	// Sigmas is how many standard deviations above the mean are far out. Default 7.
	Sigmas float64
	// Weight is that of the latest hour in the baseline, below 1. Default 0.02, a
	// memory of some fifty hours.
	Weight float64
	// Exact bounds how many distinct values are counted for a pair in an hour:
	// one with more has "at least" that many. Default 1024.
	Exact int
	// Pairs, Sources and Destinations bound how many of them are remembered, at 76
	// bytes each. Defaults 262,144, 32,768 and 32,768; at least 8.
	Pairs, Sources, Destinations int
	// Values bounds the distinct values of all pairs in the current hour together,
	// at 16 bytes each; three quarters of them are used. Default 262,144.
	Values int
	// Seed keys the hashes that place things in tables.
	Seed uint64
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		number *int
		value  int
	}{
		{&c.History, 24},
		{&c.Floor, 20},
		{&c.Exact, 1024},
		{&c.Pairs, 1 << 18},
		{&c.Sources, 1 << 15},
		{&c.Destinations, 1 << 15},
		{&c.Values, 1 << 18},
	} {
		if *d.number <= 0 {
			*d.number = d.value
		}
	}
	c.History = max(c.History, 2)
	if !(c.Sigmas > 0) {
		c.Sigmas = 7
	}
	if !(c.Weight > 0 && c.Weight < 1) {
		c.Weight = 0.02
	}
	return c
}

// rules are what baselines need of it.
func (c Config) rules() rules {
	return rules{
		history: uint32(min(c.History, 1<<20)),
		floor:   float64(c.Floor),
		sigmas:  c.Sigmas,
		weight:  c.Weight,
		keep:    1 - c.Weight,
	}
}

// roundUp is the least power of two that is no less than n, nor than least.
func roundUp(n, least int) int {
	return 1 << bits.Len(uint(max(n, least)-1))
}
