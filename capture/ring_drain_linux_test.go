package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// TestRingDrain: what came before is read to its end, also what the system had not handed
// over yet, and nothing that comes later.
func TestRingDrain(t *testing.T) {
	for _, devices := range [][]string{{"b0"}, {"b0", "c0"}} {
		n := netns.ForTest(t)
		n.Cable("a0", "b0")
		n.Cable("d0", "c0")
		opened, _ := capturing(t, n, DeviceConfig{}, devices...)
		src := opened.(*rings)
		send := n.Sender("a0")
		for i := range 300 {
			send(frameOf("", i, 60))
		}
		require.NoError(t, src.Drain())
		for i := range 300 {
			send(frameOf("", 1000+i, 60))
		}
		var all []Frame
		fs := make([]Frame, 64)
		for {
			read, err := src.Read(fs)
			for i := range fs[:read] {
				require.Equal(t, frameOf("", len(all), 60), fs[i].Data)
				all = append(all, fs[i])
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if _, idle := errors.AsType[*Idle](err); !idle {
				require.NoError(t, err)
			}
		}
		require.Len(t, all, 300)
		st, err := src.Stats()
		require.NoError(t, err)
		require.Equal(t, uint64(300), st.Packets)
		require.Zero(t, st.Dropped)
	}
}

// TestRingCloseCountsUnread: what came and was never read is lost when the ring is closed.
func TestRingCloseCountsUnread(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{}, "b0")
	send := n.Sender("a0")
	for i := range 100 {
		send(frameOf("", i, 60))
	}
	first := some(t, src, 1)
	require.NoError(t, src.Close())
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(len(first)), st.Packets)
	require.Equal(t, uint64(100-len(first)), st.Dropped)
}

// TestCards: the counters are those of the device that is asked for.
func TestCards(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	n.Sender("a0")(frameOf("", 1, 60))
	n.Do(func() error {
		c, err := newCards()
		require.NoError(t, err)
		defer c.close()
		all, err := Interfaces()
		require.NoError(t, err)
		for _, in := range all {
			stats := c.ask(in.Index)
			require.NotNil(t, stats)
			received := binary.NativeEndian.Uint64(stats[statPackets:])
			require.Equal(t, in.Packets, received+binary.NativeEndian.Uint64(stats[statPackets+8:]))
		}
		require.Nil(t, c.ask(1<<20))
		return nil
	})
}

// TestMissed counts from when it is first asked, and begins anew with another device.
func TestMissed(t *testing.T) {
	stats := func(n uint64) []byte {
		b := make([]byte, statsSize)
		binary.NativeEndian.PutUint64(b[statMissed:], n)
		return b
	}
	var m missed
	for _, step := range []struct {
		index int
		stats []byte
		total uint64
	}{
		{3, stats(100), 0},
		{3, stats(100), 0},
		{3, stats(107), 7},
		{3, nil, 7},
		{3, stats(110), 10},
		{4, stats(500), 10},
		{4, stats(501), 11},
		{4, stats(0), 11},
		{4, stats(2), 13},
	} {
		m.count(step.index, step.stats)
		require.Equal(t, step.total, m.total)
	}
}
