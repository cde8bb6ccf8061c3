package distinct

import (
	"math"
	"math/bits"
)

const (
	windowBits  = 512
	windowWords = windowBits / 64
)

// MaxWindow is what a full [Window] counts: it can tell no more apart.
const MaxWindow = 3194

// Window counts the distinct items of the latest two halves of a span of time. The
// zero value is empty. It belongs to one goroutine.
type Window struct {
	half int64 // number of the younger half
	bits [2][windowWords]uint64
}

// Add counts an item in the half of the given number. Halves never run back: an
// earlier number means the younger one of those held.
func (w *Window) Add(item uint32, half int64) {
	w.turn(half)
	bit := spread(item) >> 32 % windowBits
	w.bits[w.half&1][bit/64] |= 1 << (bit % 64)
}

// Count estimates the distinct items of this half and the one before, at most
// [MaxWindow].
func (w *Window) Count(half int64) int {
	w.turn(half)
	zeros := windowBits
	for i := range windowWords {
		zeros -= bits.OnesCount64(w.bits[0][i] | w.bits[1][i])
	}
	if zeros == 0 {
		return MaxWindow
	}
	return linear(windowBits, zeros)
}

// turn goes on to a half, and forgets those that are over.
func (w *Window) turn(half int64) {
	if half <= w.half {
		return
	}
	if half > w.half+1 {
		clear(w.bits[(half-1)&1][:])
	}
	w.half = half
	clear(w.bits[half&1][:])
}

// linear estimates how many items left so many of the places empty.
func linear(places, zeros int) int {
	return int(math.Round(float64(places) * math.Log(float64(places)/float64(zeros))))
}

// spread makes all bits of a hash depend on each other.
func spread(item uint32) uint64 {
	h := (uint64(item) + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
