package bpf

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestRemoved has the interface removed, and another of its name come: what is told goes on,
// and so does promiscuous mode.
func TestRemoved(t *testing.T) {
	lab := cable(t)
	var news []string
	c, err := opened(lab, Config{Iface: 3, Warn: func(m string) { news = append(news, m) }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	var b Batch
	read := func(what string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); len(news) == 0; {
			require.True(t, time.Now().Before(deadline), "nothing is said of %q", what)
			lab.Do(func() error { return c.Read(&b) })
		}
		require.Equal(t, []string{what}, news)
		news = nil
	}
	lab.Sender("v0")(segment(flows.FlagSYN, nil))
	_, p := readOne(t, c)
	require.EqualValues(t, 3, p.Iface)

	lab.IP("link del v1")
	read("interface v1 is gone; counting goes on if one of the name comes")
	require.Equal(t, Native, c.Mode())
	s, err := c.Stats()
	require.NoError(t, err)
	require.Equal(t, Auto, s.Mode)
	for range 4 { // longer than it is between two looks
		lab.Do(func() error { return c.Read(&b) })
	}
	require.Empty(t, news)

	lab.Cable("v0", "v1")
	other, err := opened(lab, Config{Mode: Generic, Own: true})
	require.NoError(t, err)
	read(fmt.Sprintf("interface v1 is back, but cannot be counted yet: v1 has an XDP program of its own, synoptic, number %d", programOf(t, other)))
	for range 4 {
		lab.Do(func() error { return c.Read(&b) })
	}
	require.Empty(t, news, "told once")
	require.NoError(t, other.Close())
	read("interface v1 is back; counting goes on, native")
	on, promiscuity := standing(t, lab)
	require.Equal(t, programOf(t, c), on)
	require.EqualValues(t, 1, promiscuity)

	lab.Sender("v0")(segment(flows.FlagRST, nil))
	_, p = readOne(t, c)
	require.EqualValues(t, flows.FlagRST, p.Flags)
	s, err = c.Stats()
	require.NoError(t, err)
	require.Equal(t, Native, s.Mode)
	require.EqualValues(t, 1, s.Packets[ClassSYN])
	require.EqualValues(t, 1, s.Packets[ClassRST])
	h := heldBy(t, c)
	require.NoError(t, c.Close())
	gone(t, lab, h)
}
