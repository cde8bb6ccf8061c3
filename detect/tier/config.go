package tier

import (
	"fmt"
	"math/bits"
)

// Config says how many targets are too many, and how much is remembered. Zero
// values stand for the defaults.
type Config struct {
	// Hour, Day, Week and Month are the distinct failed targets that make a hit.
	// Defaults 25, 40, 80, 150; at most 31, 63, 127, 300, which is what can be
	// counted in 32 bytes.
	Hour, Day, Week, Month int
	// Active is in how many hours (of the last 24, for Day) or on how many days (for
	// Week and Month) a suspect must have failed. Default 3, at most 7.
	Active int
	// Suspects bounds their number, at 32 bytes each; it is rounded up to a power
	// of two, at least 8. Default 262,144.
	Suspects int
	// Door is how many sources each of the two filters at the door holds, at two
	// bytes each, rounded likewise, at least 256. Default 2,097,152.
	Door int
	// Seed keys the hashes. With another one, other targets share a bit.
	Seed uint64
}

func (c Config) withDefaults() (Config, error) {
	for _, n := range []struct {
		name             string
		number           *int
		value, low, high int
	}{
		{"hour", &c.Hour, 25, 1, 31},
		{"day", &c.Day, 40, 1, 63},
		{"week", &c.Week, 80, 1, 127},
		{"month", &c.Month, 150, 1, 300},
		{"active", &c.Active, 3, 1, 7},
		{"suspects", &c.Suspects, 1 << 18, 1, 1 << 28},
		{"door", &c.Door, 1 << 21, 1, 1 << 28},
	} {
		if *n.number == 0 {
			*n.number = n.value
		}
		if *n.number < n.low || *n.number > n.high {
			return c, fmt.Errorf("tier: %s is %d, must be %d to %d", n.name, *n.number, n.low, n.high)
		}
	}
	c.Suspects = roundUp(c.Suspects, ways)
	c.Door = roundUp(c.Door, 256)
	return c, nil
}

// roundUp is the least power of two that is no less than n, nor than least.
func roundUp(n, least int) int {
	return 1 << bits.Len(uint(max(n, least)-1))
}
