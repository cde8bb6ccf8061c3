package flows

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
)

// TestSettledChangesNothing runs the project's captures with and without the
// cache: the events are the same, and so is what the cache passes over whether
// or not it may look at frames before they are decoded.
func TestSettledChangesNothing(t *testing.T) {
	files, err := filepath.Glob("../testdata/captures/*.pcap*")
	require.NoError(t, err)
	recordings, err := filepath.Glob("../testdata/lab/recordings/*.pcap")
	require.NoError(t, err)
	passed := map[Kind]int{}
	for _, file := range append(files, recordings...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			late, early := NewSettled(0), NewSettled(0)
			all, kept := NewTable(TableConfig{}), NewTable(TableConfig{})
			eachPacket(t, file, func(frame []byte, link uint16, p *Packet) {
				want := all.Add(p, nil)
				skip := late.Skip(p)
				undecoded := link == linkEthernet && early.SkipFrame(frame, p.Time)
				require.Equal(t, skip, undecoded || early.Skip(p))
				if undecoded {
					passed[p.Kind]++
				}
				if skip {
					require.Empty(t, afterTimers(want, p), "a packet that was passed over")
					kept.Advance(all.Now(), nil)
					return
				}
				require.Equal(t, want, kept.Add(p, nil))
			})
			require.Equal(t, late.Passed, early.Passed)
		})
	}
	require.Positive(t, passed[KindTCP])
	require.Positive(t, passed[KindUDP])
}

// afterTimers are the events that a packet caused itself: those of timers
// happen at their deadlines, which are before it.
func afterTimers(events []Event, p *Packet) []Event {
	var own []Event
	for _, ev := range events {
		if ev.At >= p.Time {
			own = append(own, ev)
		}
	}
	return own
}

// eachPacket decodes a capture.
func eachPacket(t *testing.T, file string, visit func(frame []byte, link uint16, p *Packet)) {
	t.Helper()
	src, err := capture.Open(file, capture.Config{})
	require.NoError(t, err)
	defer src.Close()
	var d Decoder
	fs := make([]capture.Frame, 64)
	for {
		n, err := src.Read(fs)
		for _, f := range fs[:n] {
			link := src.Link(f.Iface)
			for _, p := range d.Append(nil, f.Data, Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: link}) {
				visit(f.Data, link, &p)
			}
		}
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
	}
}
