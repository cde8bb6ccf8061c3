package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// mirror copies what passes a bridge of the router to the interface of a sensor, both
// directions, as a switch's mirror port does; there a program in the kernel looks at it.
type mirror struct {
	src     capture.Source
	to      *netns.Sender
	counter *bpf.Counter
	cancel  context.CancelFunc
	copied  int
	records []detect.Scan
	ended   chan error // of the copying and of the line
}

// mirrorPort is a sensor's namespace with one such interface.
func (s *site) mirrorPort() *namespace {
	s.t.Helper()
	n := s.namespace("sensor", map[string]string{"ipv6/conf/default/disable_ipv6": "1"})
	require.NoError(s.t, n.Cable(s.t.Context(), "in", "out"))
	return n
}

// mirror begins to copy a bridge, and to judge what comes of it.
func (s *site) mirror(t *testing.T, port *namespace, bridge string, mode bpf.Mode) *mirror {
	t.Helper()
	m := &mirror{ended: make(chan error, 2)}
	require.NoError(t, port.Do(func() (err error) {
		m.counter, err = bpf.Open(bpf.Config{Interface: "out", Mode: mode})
		return err
	}))
	require.Equal(t, mode, m.counter.Mode())
	var err error
	m.to, err = port.Sender("in")
	require.NoError(t, err)
	require.NoError(t, s.router.Do(func() (err error) {
		m.src, err = capture.OpenRing([]string{bridge}, capture.DeviceConfig{SnapLen: mirrored})
		return err
	}))
	cfg := labConfig()
	cfg.OnScan = func(sc detect.Scan) { m.records = append(m.records, sc) }
	line, err := sensor.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	t.Cleanup(func() { cancel(); _, _, _ = m.src.Close(), m.counter.Close(), m.to.Close() })
	go func() { m.ended <- m.copies() }()
	go func() {
		_, err := line.RunCounter(ctx, m.counter)
		m.ended <- err
	}()
	return m
}

// mirrored is how much of a frame is copied: one that is longer than the link takes, as a
// host puts several together, would not pass.
const mirrored = 256

func (m *mirror) copies() error {
	var frames [64]capture.Frame
	for {
		n, err := m.src.Read(frames[:])
		for _, f := range frames[:n] {
			if err := m.to.Send(f.Data[:min(len(f.Data), mirrored)]); err != nil {
				return err
			}
			m.copied++
		}
		var idle *capture.Idle
		switch {
		case errors.Is(err, os.ErrClosed), errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.As(err, &idle):
			return err
		}
	}
}

// stop ends it once all that was copied has arrived, and returns the scans that were closed.
func (m *mirror) stop(t *testing.T) []detect.Scan {
	t.Helper()
	require.NoError(t, m.src.Close())
	require.NoError(t, <-m.ended)
	arrived := func() (n uint64) {
		st, err := m.counter.Stats()
		require.NoError(t, err)
		require.Zero(t, st.RingFull)
		for _, of := range st.Packets {
			n += of
		}
		return n
	}
	require.Eventually(t, func() bool { return arrived() == uint64(m.copied) }, 5*time.Second, 20*time.Millisecond,
		"%d frames were copied", m.copied)
	time.Sleep(200 * time.Millisecond) // two turns of the line
	m.cancel()
	require.NoError(t, <-m.ended)
	require.NoError(t, errors.Join(m.counter.Close(), m.to.Close()))
	return closedScans(m.records)
}

// unseen are the scenarios of which the program in the kernel tells too little, and why; else
// its scans have the source, shape, technique and verdict of those recorded.
func unseen() map[string]string {
	const acks = "segments with ACK alone are not told"
	return map[string]string{"nmap-ack": acks, "nmap-window": acks, "nmap-ack-sweep": acks}
}

// unknown are those whose verdict is another: the one that is given here.
func unknown() map[string]detect.Verdict {
	return map[string]detect.Verdict{
		"nmap-web": detect.Answered, // what was said was said on later connections to the same ports
	}
}

// requireAlike holds the scans that the program in the kernel led to against those recorded.
func requireAlike(t *testing.T, sn scenario, recorded, counted []detect.Scan) {
	t.Helper()
	words := func(scans []detect.Scan) (all []string) {
		for _, sc := range scans {
			if v, ok := unknown()[sn.name]; ok {
				sc.Verdict = v
			}
			all = append(all, fmt.Sprintf("%q %s %s %s", nameOf(sc.Src), sc.Shape, sc.Technique, sc.Verdict))
		}
		slices.Sort(all)
		return all
	}
	if why, ok := unseen()[sn.name]; ok {
		require.Empty(t, counted, why)
		return
	}
	require.Equal(t, words(recorded), words(counted), "scans of the recording, and of the program in the kernel")
}
