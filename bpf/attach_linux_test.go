package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// namespace makes one for a program, and skips the test where the kernel takes none.
func namespace(t *testing.T) *netns.Lab {
	t.Helper()
	lab := netns.ForTest(t)
	if err := features.HaveProgramType(ebpf.XDP); err != nil && !netns.Required() {
		t.Skip("an XDP program needs root on Linux: ", err)
	}
	return lab
}

// cable makes a namespace with two interfaces, for a program on the second.
func cable(t *testing.T) *netns.Lab {
	t.Helper()
	lab := namespace(t)
	lab.Cable("v0", "v1")
	return lab
}

// opened opens a Counter on interface v1 of a namespace.
func opened(lab *netns.Lab, c Config) (n *Counter, err error) {
	c.Interface = "v1"
	set, err := tuningFor(0)
	if err != nil {
		return nil, err
	}
	set.sizes.cells, set.sizes.ring = 1<<12, 1<<16 // the test is about something else
	err = lab.NS.Do(func() error {
		n, err = open(c, set)
		return err
	})
	return n, err
}

// readOne reads until there is a packet.
func readOne(t *testing.T, c *Counter) (Batch, flows.Packet) {
	t.Helper()
	var b Batch
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		require.NoError(t, c.Read(&b))
		if len(b.Packets) > 0 {
			return b, b.Packets[0]
		}
	}
	require.FailNow(t, "nothing was told")
	return b, flows.Packet{}
}

func TestCounter(t *testing.T) {
	for _, mode := range []Mode{Auto, Native, Generic} {
		t.Run(mode.String(), func(t *testing.T) {
			lab := cable(t)
			c, err := opened(lab, Config{Mode: mode, Iface: 3, Warn: func(m string) { t.Error(m) }})
			require.NoError(t, err)
			t.Cleanup(func() { _ = c.Close() })
			if mode == Auto {
				mode = Native
			}
			require.Equal(t, mode, c.Mode())

			before := time.Now().UnixNano()
			lab.Sender("v0")(segment(flows.FlagSYN, nil))
			b, p := readOne(t, c)
			require.Len(t, b.Packets, 1)
			require.InDelta(t, before, p.Time, float64(10*time.Second))
			require.Greater(t, p.Time, before-2*tick)
			want, ok := whole(segment(flows.FlagSYN, nil))
			require.True(t, ok)
			want.Time, want.Iface = p.Time, 3
			require.Equal(t, want, p)

			began := time.Now()
			require.NoError(t, c.Read(&b))
			require.Empty(t, b.Packets)
			require.Greater(t, b.Now, before)
			require.LessOrEqual(t, b.Now, time.Now().UnixNano())
			require.Less(t, time.Since(began), 5*time.Second)
			s, err := c.Stats()
			require.NoError(t, err)
			require.EqualValues(t, 1, s.Packets[ClassSYN])
			require.EqualValues(t, 1, s.Told)
			require.Equal(t, mode, s.Mode)
			require.Zero(t, s.RingLoad)
		})
	}
}

func TestCloseWakesRead(t *testing.T) {
	c, err := opened(cable(t), Config{})
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		var b Batch
		for {
			if err := c.Read(&b); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(30 * time.Millisecond)
	require.NoError(t, c.Close())
	select {
	case err := <-done:
		require.ErrorIs(t, err, os.ErrClosed)
	case <-time.After(10 * time.Second):
		require.FailNow(t, "Read goes on")
	}
	require.NoError(t, c.Close())
	_, err = c.Stats()
	require.ErrorIs(t, err, os.ErrClosed)
}

// TestBusy has another program on the interface, which is named and left alone.
func TestBusy(t *testing.T) {
	for _, modes := range [][2]Mode{{Native, Native}, {Native, Generic}, {Generic, Auto}} {
		t.Run(fmt.Sprint(modes), func(t *testing.T) {
			lab := cable(t)
			first, err := opened(lab, Config{Mode: modes[0]})
			require.NoError(t, err)
			t.Cleanup(func() { _ = first.Close() })
			_, err = opened(lab, Config{Mode: modes[1], Warn: func(m string) { t.Error(m) }})
			var busy *BusyError
			require.ErrorAs(t, err, &busy)
			require.Equal(t, BusyError{Interface: "v1", Program: "synoptic", ID: programOf(t, first)}, *busy)
			require.EqualError(t, busy, fmt.Sprintf("v1 has an XDP program of its own, synoptic, number %d", busy.ID))
			lab.Sender("v0")(segment(flows.FlagSYN, nil))
			readOne(t, first)
		})
	}
}

// TestWithoutDriver has an interface whose driver has no XDP: lo.
func TestWithoutDriver(t *testing.T) {
	lab := namespace(t)
	var said []string
	onLoopback := func(mode Mode) (c *Counter, err error) {
		err = lab.NS.Do(func() error {
			c, err = Open(Config{Interface: "lo", Mode: mode, Warn: func(m string) { said = append(said, m) }})
			return err
		})
		return c, err
	}
	_, err := onLoopback(Native)
	require.ErrorContains(t, err, "attaching the XDP program to lo")
	require.Empty(t, said)
	c, err := onLoopback(Auto)
	require.NoError(t, err)
	require.Equal(t, Generic, c.Mode())
	require.Len(t, said, 1)
	require.Contains(t, said[0], "lo: no XDP in the driver")
	require.NoError(t, c.Close())
}

func TestNoInterface(t *testing.T) {
	_, err := Open(Config{Interface: "nonesuch"})
	require.ErrorContains(t, err, "interface nonesuch")
}

func programOf(t *testing.T, c *Counter) uint32 {
	t.Helper()
	info, err := c.objects.Synoptic.Info()
	require.NoError(t, err)
	id, ok := info.ID()
	require.True(t, ok)
	return uint32(id)
}

// standing is the program on interface v1, and how many want it promiscuous.
func standing(t *testing.T, lab *netns.Lab) (program, promiscuity uint32) {
	t.Helper()
	lab.Do(func() error { // nothing in it may end the goroutine
		device, err := net.InterfaceByName("v1")
		if err != nil {
			return err
		}
		program = attachedTo(device.Index)
		value := linkAttribute(device.Index, unix.IFLA_PROMISCUITY)
		if len(value) != 4 {
			return errors.New("nothing is said of promiscuity")
		}
		promiscuity = binary.NativeEndian.Uint32(value)
		return nil
	})
	return program, promiscuity
}
