package config

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// DefaultMemory is the budget for what a run remembers where none is given, in bytes.
const DefaultMemory = 256 << 20

// ParseMemory reads a budget: 64MiB, 1GiB or a number of bytes; empty is [DefaultMemory].
func ParseMemory(value string) (int64, error) {
	if value == "" {
		return DefaultMemory, nil
	}
	n, err := size(value)
	if err != nil {
		return 0, exit.With(exit.Usage, fmt.Errorf("--memory %w", err), "write a size as 64MiB, 1GiB, or in bytes")
	}
	if n < sensor.MinMemory {
		return 0, exit.With(exit.Usage, fmt.Errorf("--memory %s is too little: the least is %s", value, SizeText(sensor.MinMemory)),
			"the less there is, the fewer sources are remembered; the default is "+SizeText(DefaultMemory))
	}
	return n, nil
}

// seed reads a key for the hashes. A live run draws one, for who sends what is captured
// could otherwise choose what falls together; a capture gives the same output always.
func seed(value string, live bool) (uint64, error) {
	switch {
	case value != "":
		n, err := strconv.ParseUint(value, 0, 64)
		if err != nil {
			return 0, exit.With(exit.Usage, fmt.Errorf("--seed %q is not a number below 2 to the power of 64", value))
		}
		return n, nil
	case live:
		return rand.Uint64(), nil
	}
	return 0, nil
}

// units are powers of 1,024, the largest first.
func units() []string { return []string{"TiB", "GiB", "MiB", "KiB"} }

func size(value string) (int64, error) {
	number, factor := strings.TrimSpace(value), int64(1)
	for i, unit := range units() {
		if head, ok := strings.CutSuffix(strings.ToLower(number), strings.ToLower(unit)); ok {
			number, factor = strings.TrimSpace(head), 1<<(10*(len(units())-i))
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no size", value)
	}
	if n > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is more than there can be", value)
	}
	return n * factor, nil
}

// SizeText writes a size in the largest unit of which it is a multiple.
func SizeText(n int64) string {
	for i, unit := range units() {
		if factor := int64(1) << (10 * (len(units()) - i)); n >= factor && n%factor == 0 {
			return fmt.Sprintf("%d%s", n/factor, unit)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
