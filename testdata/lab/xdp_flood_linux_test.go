package lab

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/testdata/netns"
	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// flooded is a line that a program in the kernel feeds, with a sender on the other end of the
// cable.
type flooded struct {
	t       *testing.T
	send    func([]byte)
	counter *bpf.Counter
	line    *sensor.Sensor
	cancel  context.CancelFunc
	records []detect.Scan
	ended   chan error
}

// stalled reads nothing before it is let go.
type stalled struct {
	*bpf.Counter
	let <-chan struct{}
}

func (s stalled) Read(b *bpf.Batch) error {
	<-s.let
	return s.Counter.Read(b)
}

// inBothModes runs a test with the program native and generic, at the same time.
func inBothModes(t *testing.T, test func(*testing.T, bpf.Mode)) {
	t.Helper()
	for _, mode := range mirrorModes {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			test(t, mode)
		})
	}
}

// flood begins to judge what arrives, once it is let.
func flood(t *testing.T, mode bpf.Mode, let <-chan struct{}) *flooded {
	t.Helper()
	requireLab(t)
	n := netns.ForTest(t)
	n.Cable("in", "out")
	f := &flooded{t: t, ended: make(chan error, 1), send: n.Sender("in")}
	n.Do(func() (err error) {
		f.counter, err = bpf.Open(bpf.Config{Interface: "out", Mode: mode})
		return err
	})
	cfg := labConfig()
	cfg.OnScan = func(sc detect.Scan) { f.records = append(f.records, sc) }
	var err error
	f.line, err = sensor.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	t.Cleanup(func() { cancel(); _ = f.counter.Close() })
	go func() {
		_, err := f.line.RunCounter(ctx, stalled{f.counter, let})
		f.ended <- err
	}()
	return f
}

// scanners are so many, each of which has a host of its own to scan.
const scanners = 5

func scannerNamed(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(10 + i)}) }

// knock sends a SYN of a scanner to a port.
func (f *flooded) knock(i, port int) {
	f.syn(scannerNamed(i), netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)}), uint16(port), uint32(i*7919+port*104729))
}

// forge sends the only SYN of a source.
func (f *flooded) forge(i int) {
	a := netip.MustParseAddr("2001:db8:f000::1").As16()
	binary.BigEndian.PutUint32(a[5:], uint32(i))
	f.syn(netip.AddrFrom16(a), netip.MustParseAddr(server6), 80, uint32(i)*2_654_435_761)
}

func (f *flooded) syn(from, to netip.Addr, port uint16, seq uint32) {
	tcp := wire.TCP{SrcPort: uint16(30000 + seq%20000), DstPort: port, Seq: seq, Flags: 2, Window: 1024}
	l4 := tcp.Append(nil)
	h := wire.Header{TTL: 50, ID: uint16(seq >> 8)}
	f.send(append(wire.IP(nil, wire.End{Addr: from, MAC: wire.MAC{2, 1}}, wire.End{Addr: to, MAC: wire.MAC{2, 2}}, h, wire.ProtoTCP, l4, len(l4), wire.SumTCP), l4...))
}

// stop waits until all scanners are found, and requires that nobody else is. Of the targets a
// few may be missing: one in a hundred may seem to be known.
func (f *flooded) stop(targets int) bpf.Stats {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return f.line.Snapshot().Detect.Opened >= scanners }, 20*time.Second, 50*time.Millisecond)
	time.Sleep(time.Second) // what comes last counts by then
	stats, err := f.counter.Stats()
	require.NoError(f.t, err)
	f.cancel()
	require.NoError(f.t, <-f.ended)
	var want, have []string
	for i := range scanners {
		want = append(want, scannerNamed(i).String())
	}
	for _, sc := range closedScans(f.records) {
		have = append(have, nameOf(sc.Src))
		require.InDelta(f.t, targets, sc.Ports, float64(targets)/20)
	}
	slices.Sort(have)
	require.Equal(f.t, want, have)
	return stats
}

// TestXDPInAFlood: among a million forged sources the scanners are named, and no other source is.
func TestXDPInAFlood(t *testing.T) { inBothModes(t, inAFlood) }

func inAFlood(t *testing.T, mode bpf.Mode) {
	now := make(chan struct{})
	close(now)
	f := flood(t, mode, now)
	const forged, ports = 1_000_000, 200
	for i := range forged {
		f.forge(i)
		if i%(forged/ports) == 0 {
			for s := range scanners {
				f.knock(s, 1+i/(forged/ports))
			}
		}
	}
	stats := f.stop(ports)
	require.EqualValues(t, forged+ports*scanners, stats.Packets[bpf.ClassSYN])
	t.Logf("%d told, %d not told for want of room, %d generations", stats.Told, stats.RingFull, stats.Generations)
}

// TestXDPWithoutRoom: while nobody reads, the ring is full, and what scanners try then is not
// told. It is not taken for told, so that they are found by it when they try again.
func TestXDPWithoutRoom(t *testing.T) { inBothModes(t, withoutRoom) }

func withoutRoom(t *testing.T, mode bpf.Mode) {
	let := make(chan struct{})
	f := flood(t, mode, let)
	const forged, ports = 60_000, 200
	for i := range forged {
		f.forge(i)
	}
	for port := range ports / 2 {
		for s := range scanners {
			f.knock(s, 1+port)
		}
	}
	stats, err := f.counter.Stats()
	require.NoError(t, err)
	require.Greater(t, stats.RingFull, uint64(scanners*ports/2))
	close(let)
	require.Eventually(t, func() bool {
		stats, err := f.counter.Stats()
		require.NoError(t, err)
		return stats.RingLoad == 0
	}, 10*time.Second, 10*time.Millisecond)
	for port := range ports {
		for s := range scanners {
			f.knock(s, 1+port)
		}
	}
	f.stop(ports)
}
