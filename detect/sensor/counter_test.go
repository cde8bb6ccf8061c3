package sensor_test

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

// counted is a source of batches. Behind the last, it ends the run as one that is told to
// stop does, or fails.
type counted struct {
	batches []bpf.Batch
	stop    context.CancelFunc
	err     error
	closed  bool
}

func (c *counted) Read(b *bpf.Batch) error {
	if len(c.batches) == 0 {
		if c.err != nil {
			return c.err
		}
		c.stop()
		return os.ErrClosed
	}
	next := c.batches[0]
	c.batches = c.batches[1:]
	b.Packets = append(b.Packets[:0], next.Packets...)
	b.Summaries = append(b.Summaries[:0], next.Summaries...)
	b.Now = next.Now
	return nil
}

func (c *counted) Stats() (bpf.Stats, error) {
	if c.closed {
		return bpf.Stats{}, os.ErrClosed
	}
	s := bpf.Stats{Told: 40, RingFull: 3, Load: 0.25}
	s.Packets[bpf.ClassSYN], s.Packets[bpf.ClassSegment], s.Packets[bpf.ClassTruncated] = 50, 900, 2
	return s, nil
}

func (c *counted) Close() error { return nil }

const began = int64(1_700_000_000_000_000_000)

// knock is a SYN of a scanner to a port, so many milliseconds after the beginning.
func knock(millis int64, port uint16) flows.Packet {
	return flows.Packet{
		Kind: flows.KindTCP, Proto: 6, Flags: flows.FlagSYN, Src: netip.MustParseAddr("203.0.113.7").As16(),
		Dst: netip.MustParseAddr("192.0.2.1").As16(), SrcPort: 40000 + port, DstPort: port, Seq: uint32(port) * 7919,
		Time: began + millis*1e6, TTL: 64, Window: 64240, Options: 1,
	}
}

// sweep is batches of a scan of 30 ports in three seconds, of which more is counted then.
func sweep() []bpf.Batch {
	var all []bpf.Batch
	for i := range int64(30) {
		all = append(all, bpf.Batch{Packets: []flows.Packet{knock(100*i, uint16(1+i))}, Now: began + 100*i*1e6})
	}
	s := flows.Summary{Source: netip.MustParseAddr("203.0.113.7").As16(), First: began + 3e9, Last: began + 9e9, Targets: 500}
	s.Packets[flows.TCPSYN] = 600
	return append(all, bpf.Batch{Now: began + 4e9}, bpf.Batch{Summaries: []flows.Summary{s}, Now: began + 10e9})
}

// runCounter runs a line over batches and returns the closed scans.
func runCounter(t *testing.T, cfg sensor.Config, c *counted) ([]detect.Scan, sensor.Summary, error) {
	t.Helper()
	var scans []detect.Scan
	cfg.OnScan = func(s detect.Scan) { scans = detect.AddClosed(scans, s) }
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.stop = cancel
	sum, err := s.RunCounter(ctx, c)
	return scans, sum, err
}

// TestCounter: packets that were read elsewhere make the scan that they are, and what was
// counted beside them lengthens it; in one goroutine and in three.
func TestCounter(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, inline := range []bool{false, true} {
		scans, sum, err := runCounter(t, sensor.Config{Inline: inline}, &counted{batches: sweep()})
		require.NoError(t, err)
		require.Len(t, scans, 1)
		require.Equal(t, "203.0.113.7", scans[0].Src.String())
		require.Equal(t, 500, scans[0].Targets)
		require.Equal(t, 30, scans[0].Ports)
		require.True(t, scans[0].Estimated)
		require.Equal(t, detect.Time(began+9e9), scans[0].Last)
		require.True(t, sum.Stopped)
		require.EqualValues(t, 952, sum.Capture.Packets)
		require.EqualValues(t, 3, sum.Capture.Dropped)
		require.EqualValues(t, 40, sum.Decode.Packets)
		require.EqualValues(t, 2, sum.Decode.Truncated)
		require.InDelta(t, 0.25, sum.Kernel.Load, 0)
		require.Equal(t, detect.Time(began), sum.First)
		require.Equal(t, detect.Time(began+29e8), sum.Last)
	}
}

// TestCounterTellsByEnds: a connection of which only the ends are told was a conversation.
func TestCounterTellsByEnds(t *testing.T) {
	syn := knock(0, 80)
	synack, fin := syn, syn
	synack.Src, synack.Dst, synack.SrcPort, synack.DstPort = syn.Dst, syn.Src, syn.DstPort, syn.SrcPort
	synack.Flags, synack.Seq, synack.Ack = flows.FlagSYN|flows.FlagACK, 99, syn.Seq+1
	fin.Flags, fin.Seq, fin.Ack, fin.Time = flows.FlagFIN|flows.FlagACK, syn.Seq+101, 5000, syn.Time+2e9
	var got []flows.Attempt
	cfg := sensor.Config{OnAttempt: func(a flows.Attempt) { got = append(got, a) }}
	_, _, err := runCounter(t, cfg, &counted{batches: []bpf.Batch{{Packets: []flows.Packet{syn, synack, fin}, Now: fin.Time}}})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, flows.Productive, got[0].Outcome)
}

// TestCounterMovesTheClock: of an interface without news the time goes on all the same.
func TestCounterMovesTheClock(t *testing.T) {
	var at []int64
	cfg := sensor.Config{OnEvents: func(_ []flows.Event, now int64) { at = append(at, now) }}
	_, _, err := runCounter(t, cfg, &counted{batches: sweep()})
	require.NoError(t, err)
	require.Contains(t, at, began+10e9)
}

// TestCounterFilter: what does not fit is left out, and what was only counted with it.
func TestCounterFilter(t *testing.T) {
	f, err := filter.Parse("portrange 1-20")
	require.NoError(t, err)
	scans, sum, err := runCounter(t, sensor.Config{Filter: f}, &counted{batches: sweep()})
	require.NoError(t, err)
	require.Len(t, scans, 1)
	require.Equal(t, 20, scans[0].Targets)
	require.EqualValues(t, 10, sum.Filtered)
}

// TestCounterStops: behind so many packets, or with the error of the source.
func TestCounterStops(t *testing.T) {
	scans, sum, err := runCounter(t, sensor.Config{MaxPackets: 12}, &counted{batches: sweep()})
	require.NoError(t, err)
	require.True(t, sum.Stopped)
	require.Equal(t, 12, scans[0].Targets)

	_, sum, err = runCounter(t, sensor.Config{}, &counted{batches: sweep(), err: os.ErrInvalid})
	require.ErrorIs(t, err, os.ErrInvalid)
	require.False(t, sum.Stopped)
}

// Records would name files that hold nothing.
func TestCounterKeepsNoPackets(t *testing.T) {
	s, err := sensor.New(sensor.Config{Evidence: sensor.Evidence{Keeper: counter{}}})
	require.NoError(t, err)
	_, err = s.RunCounter(context.Background(), &counted{})
	require.EqualError(t, err, "packets of scans cannot be kept where no frames are read")
}
