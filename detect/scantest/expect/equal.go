package expect

import (
	"encoding/json"
	"strconv"
	"time"
)

// equal compares values as JSON has them. Of an object only the members that
// want gives are compared; what is absent equals null, false, 0, "", [] and
// {}, because records leave such fields out. Numbers are compared by value,
// times as instants.
func equal(want, got any) bool {
	switch w := want.(type) {
	case nil:
		return empty(got)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return empty(got) && empty(want)
		}
		for name, value := range w {
			if !equal(value, g[name]) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok {
			return len(w) == 0 && empty(got)
		}
		if len(w) != len(g) {
			return false
		}
		for i := range w {
			if !equal(w[i], g[i]) {
				return false
			}
		}
		return true
	case json.Number:
		g, ok := got.(json.Number)
		return ok && equalNumbers(w, g) || !ok && got == nil && empty(w)
	case string:
		g, ok := got.(string)
		return ok && equalStrings(w, g) || !ok && got == nil && w == ""
	default:
		return want == got || got == nil && empty(want)
	}
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		return equalNumbers(v, "0")
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}

func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseInt(a.String(), 10, 64)
	y, errY := strconv.ParseInt(b.String(), 10, 64)
	if errX == nil && errY == nil {
		return x == y
	}
	f, errF := a.Float64()
	g, errG := b.Float64()
	return errF == nil && errG == nil && f == g
}

func equalStrings(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && errY == nil && x.Equal(y)
}
