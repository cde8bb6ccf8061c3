package capture

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// thinner drops frames with odd numbers, and counts as many as it is told.
type thinner struct {
	snap     int
	attached []int
	packets  atomic.Uint64
	forgot   atomic.Uint64
}

func (s *thinner) Attach(socket int) error {
	s.attached = append(s.attached, socket)
	code, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 17, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 1, SkipFalse: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: uint32(s.snap)},
	})
	if err != nil {
		return err
	}
	return attach(socket, code)
}

func (s *thinner) Dropped() (packets, bytes uint64) { return s.packets.Load(), 100 * s.packets.Load() }
func (s *thinner) Forget()                          { s.forgot.Add(1) }

// TestRingThin: what is dropped does not come and is counted, and when packets were lost
// that is told.
func TestRingThin(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	var thin *thinner
	src, _ := capturing(t, n, DeviceConfig{Buffer: 1 << 18, SnapLen: 250, Sockets: 2, Thin: func(snap int) Thinner {
		thin = &thinner{snap: snap}
		return thin
	}}, "b0")
	require.Len(t, thin.attached, 2)
	require.Equal(t, 250, thin.snap)
	send := n.Sender("a0")
	for i := range 20 {
		send(frameOf("", i, 300))
	}
	thin.packets.Store(10)
	for i, f := range some(t, src, 10) {
		require.Equal(t, frameOf("", 2*i, 300)[:250], f.Data)
	}
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, Stats{Packets: 20, Thinned: 10, Bytes: 10*250 + 10*100}, st)
	require.Zero(t, thin.forgot.Load())

	for i := range 5000 {
		send(frameOf("", 2*i, 1000))
	}
	thin.packets.Store(11)
	st, err = src.Stats()
	require.NoError(t, err)
	require.Positive(t, st.Dropped)
	require.Equal(t, Stats{Packets: 21, Thinned: 11, Bytes: 10*250 + 11*100, Dropped: st.Dropped}, st)
	require.Equal(t, uint64(1), thin.forgot.Load())
	read := len(rest(t, src))
	st, err = src.Stats()
	require.NoError(t, err)
	require.Equal(t, arrived(n, "b0"), 10+read+10+int(st.Dropped)) // of the first twenty ten were dropped
}

// TestRingThinWhereItCannot: where something else decides what is dropped, or the headers
// are others, nothing is thinned out.
func TestRingThinWhereItCannot(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	n.IP("link set lo up")
	all := func(_ uint16, snap uint32) ([]bpf.Instruction, error) {
		return []bpf.Instruction{bpf.RetConstant{Val: snap}}, nil
	}
	thin := &thinner{}
	of := func(int) Thinner { return thin }
	capturing(t, n, DeviceConfig{Thin: of, Filter: all}, "b0")
	capturing(t, n, DeviceConfig{Thin: of, Incoming: true}, "b0")
	capturing(t, n, DeviceConfig{Thin: of}, "lo", "any")
	require.Empty(t, thin.attached)
	capturing(t, n, DeviceConfig{Thin: of}, "lo", "b0", "a0")
	require.Len(t, thin.attached, 2)
	src, _ := capturing(t, n, DeviceConfig{Thin: func(int) Thinner { return nil }}, "b0")
	n.Sender("a0")(frameOf("", 1, 60))
	require.Len(t, some(t, src, 1), 1)
}
