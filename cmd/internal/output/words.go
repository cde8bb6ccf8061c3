package output

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pad fills up to a width in characters.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// padLeft fills up to a width from the left.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s))) + s
}

// count is a number and its noun: "1 port", "12,345 ports".
func count[N int | uint64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(uint64(n)) + " " + noun
}

// grouped writes a number with commas between thousands.
func grouped(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// duration writes nanoseconds to about two digits: "0.4 s", "12 s",
// "3 min 20 s", "2 h 5 min", "3 d 4 h".
func duration(ns int64) string {
	const second, minute, hour, day = 1e9, 60e9, 3600e9, dayLength
	switch {
	case ns < second/1000:
		return fmt.Sprintf("%d us", ns/1000)
	case ns < second/10:
		return fmt.Sprintf("%d ms", ns/1e6)
	case ns < 10*second:
		return fmt.Sprintf("%d.%d s", ns/second, ns%second/1e8)
	case ns < minute:
		return fmt.Sprintf("%d s", ns/second)
	case ns < hour:
		return two(ns/minute, "min", ns%minute/second, "s")
	case ns < day:
		return two(ns/hour, "h", ns%hour/minute, "min")
	default:
		return two(ns/day, "d", ns%day/hour, "h")
	}
}

func two(a int64, unit string, b int64, subunit string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, subunit)
}
