//go:build libpcap && linux

package capture

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// loopback captures from the loopback device of a network namespace of its own,
// and returns a socket in it.
func loopback(t *testing.T, cfg DeviceConfig) (src Source, conn *net.UDPConn) {
	t.Helper()
	n := netns.ForTest(t)
	n.IP("link set lo up")
	n.Do(func() (err error) {
		if src, err = OpenLibpcapDevice("lo", cfg); err != nil {
			return err
		}
		conn, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		return err
	})
	return src, conn
}

func TestLibpcapDevice(t *testing.T) {
	defer goleak.VerifyNone(t)
	src, conn := loopback(t, DeviceConfig{})
	defer func() { _ = conn.Close() }()
	fs := make([]Frame, 10)
	read := func() (got Frame, idle *Idle) {
		n, err := src.Read(fs)
		if found, ok := errors.AsType[*Idle](err); ok {
			return Frame{}, found
		}
		require.NoError(t, err)
		require.Equal(t, 1, n)
		return fs[0], nil
	}

	// Nothing comes: time moves on, and stays behind the clock.
	_, idle := read()
	require.NotNil(t, idle)
	began := time.Now()
	require.Less(t, idle.Now, began.UnixNano())
	require.Greater(t, idle.Now, began.Add(-time.Minute).UnixNano())

	// What is sent comes, from the link header on; loopback shows it twice.
	payload := []byte("a payload that nobody else sends")
	var frames int
	_, err := conn.Write(payload)
	require.NoError(t, err)
	for frames == 0 {
		f, idle := read()
		if idle == nil && bytes.Contains(f.Data, payload) {
			frames++
			require.Len(t, f.Data, 14+20+8+len(payload))
			require.Equal(t, uint32(len(f.Data)), f.Len)
			require.InDelta(t, time.Now().UnixNano(), f.Time, float64(time.Minute))
			require.Equal(t, uint16(1), src.Link(f.Iface))
		}
	}

	// Traffic without end does not keep what was read from being made use of.
	stop := make(chan struct{})
	flood := make(chan struct{})
	go func() {
		defer close(flood)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = conn.Write(payload) // port 9 refuses: every other Write fails
			}
		}
	}()
	for idle = nil; idle == nil; {
		_, idle = read()
	}
	close(stop)
	<-flood

	st, err := src.Stats()
	require.NoError(t, err)
	require.Positive(t, st.Packets)
	require.Zero(t, st.Total)
	require.NoError(t, src.Close())
}

// TestLibpcapCloseWakesRead closes from another goroutine while Read waits, and
// while others ask for Stats.
func TestLibpcapCloseWakesRead(t *testing.T) {
	defer goleak.VerifyNone(t)
	src, conn := loopback(t, DeviceConfig{})
	defer func() { _ = conn.Close() }()
	result := make(chan error)
	reading := make(chan struct{})
	go func() {
		fs := make([]Frame, 10)
		for first := true; ; first = false {
			_, err := src.Read(fs)
			if first {
				close(reading)
			}
			if _, idle := errors.AsType[*Idle](err); err != nil && !idle {
				result <- err
				return
			}
		}
	}()
	<-reading
	requireWakes(t, src, result)
}

// TestLibpcapCountsDrops sends more than a small buffer holds.
func TestLibpcapCountsDrops(t *testing.T) {
	src, conn := loopback(t, DeviceConfig{Buffer: 1 << 16})
	defer func() { _ = conn.Close() }()
	payload := make([]byte, 8000)
	for range 2000 {
		_, _ = conn.Write(payload) // port 9 refuses: every other Write fails
	}
	fs := make([]Frame, 1)
	for idle := false; !idle; {
		_, err := src.Read(fs)
		_, idle = errors.AsType[*Idle](err)
	}
	st, err := src.Stats()
	require.NoError(t, err)
	require.Positive(t, st.Dropped)
	require.NoError(t, src.Close())
	after, err := src.Stats()
	require.NoError(t, err)
	require.GreaterOrEqual(t, after.Dropped, st.Dropped, "the account stays when the device is closed")
}

func TestLibpcapNoSuchDevice(t *testing.T) {
	_, err := OpenLibpcapDevice("nosuch0", DeviceConfig{})
	require.Error(t, err)
	require.ErrorContains(t, err, "capturing from nosuch0 with libpcap: ")
}
