package bpf

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestGlance has frames counted in the class that they are read as: segments that are only
// counted are not read, but known at a glance.
func TestGlance(t *testing.T) {
	r := newReader(t)
	plain := loaded(t, nil)
	var before [len(xdpCounters{}.Classes)]uint64
	glanced := 0
	vs := keptFrames(t)
	for _, flags := range []byte{flows.FlagACK, flows.FlagACK | flows.FlagPSH, flows.FlagSYN, 0} {
		vs = append(vs, mutants(segment(flags, nil))...)
		vs = append(vs, mutants(segment6(flags, make([]byte, 20)))...)
	}
	for _, v := range vs {
		want := Class(r.read(v.frame).Class)
		_, err := plain.Synoptic.Run(runOf(v.frame))
		require.NoError(t, err)
		var each []xdpCounters
		require.NoError(t, plain.Counts.Lookup(uint32(0), &each))
		got := NumClasses
		for class, n := range each[0].Classes {
			if n > before[class] {
				got = Class(class)
			}
		}
		require.Equal(t, want, got, "%s: %x", v.name, v.frame)
		before = each[0].Classes
		if want == ClassSegment {
			glanced++
		}
	}
	require.Greater(t, glanced, 1000)
}

// mutants are a frame, what is left of it when it is cut, and what becomes of it when a byte
// of its headers is another, or its length.
func mutants(frame []byte) []vector {
	vs := []vector{{"whole", frame}}
	for n := 14; n < len(frame); n++ {
		vs = append(vs, vector{"cut", frame[:n]})
	}
	for at := range min(len(frame), 70) {
		for _, x := range []byte{1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff} {
			other := slices.Clone(frame)
			other[at] ^= x
			vs = append(vs, vector{"changed", other})
		}
	}
	for _, at := range []int{17, 19} { // the low byte of the length that the header states
		for n := range byte(64) {
			other := slices.Clone(frame)
			other[at] = n
			vs = append(vs, vector{"of another length", other})
		}
	}
	return vs
}
