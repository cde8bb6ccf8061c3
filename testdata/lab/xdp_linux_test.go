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

// mirrorModes are how the program runs that each run is judged by: in both at once.
var mirrorModes = [...]bpf.Mode{bpf.Native, bpf.Generic}

// mirrorPorts are for each mode a sensor's namespace with such an interface.
type mirrorPorts [len(mirrorModes)]*namespace

func (s *site) mirrorPorts() (ports mirrorPorts) {
	s.t.Helper()
	for i := range ports {
		ports[i] = s.namespace("sensor", map[string]string{"ipv6/conf/default/disable_ipv6": "1"})
		require.NoError(s.t, ports[i].Cable(s.t.Context(), "in", "out"))
	}
	return ports
}

// mirrors begins to copy a bridge to all ports. The programs are loaded at the same time, for
// that takes a while.
func (s *site) mirrors(t *testing.T, ports mirrorPorts, bridge string) (ms [len(mirrorModes)]*mirror) {
	t.Helper()
	require.NoError(t, together(len(ms), func(i int) (err error) {
		ms[i], err = s.mirror(t, ports[i], bridge, mirrorModes[i])
		return err
	}))
	return ms
}

// mirror begins to copy a bridge, and to judge what comes of it.
func (s *site) mirror(t *testing.T, port *namespace, bridge string, mode bpf.Mode) (*mirror, error) {
	m := &mirror{ended: make(chan error, 2)}
	t.Cleanup(m.close)
	if err := m.open(s.router, port, bridge, mode); err != nil {
		return nil, err
	}
	cfg := labConfig()
	cfg.OnScan = func(sc detect.Scan) { m.records = append(m.records, sc) }
	line, err := sensor.New(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go func() { m.ended <- m.copies() }()
	go func() {
		_, err := line.RunCounter(ctx, m.counter)
		m.ended <- err
	}()
	return m, nil
}

// open attaches the program, and captures what it is to see.
func (m *mirror) open(router, port *namespace, bridge string, mode bpf.Mode) error {
	err := port.Do(func() (err error) {
		m.counter, err = bpf.Open(bpf.Config{Interface: "out", Mode: mode})
		return err
	})
	if err != nil {
		return err
	}
	if m.counter.Mode() != mode {
		return fmt.Errorf("the program runs in the %v mode, not in the %v", m.counter.Mode(), mode)
	}
	if m.to, err = port.Sender("in"); err != nil {
		return err
	}
	return router.Do(func() (err error) {
		m.src, err = capture.OpenRing([]string{bridge}, capture.DeviceConfig{SnapLen: mirrored})
		return err
	})
}

// close closes what is open, however far it came.
func (m *mirror) close() {
	if m.cancel != nil {
		m.cancel()
	}
	if m.src != nil {
		_ = m.src.Close()
	}
	if m.counter != nil {
		_ = m.counter.Close()
	}
	if m.to != nil {
		_ = m.to.Close()
	}
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

// stop ends it once all that was copied has arrived.
func (m *mirror) stop() error {
	if err := errors.Join(m.src.Close(), <-m.ended, m.arrived()); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // two turns of the line
	m.cancel()
	return errors.Join(<-m.ended, m.counter.Close())
}

// arrived waits until the program has seen all that was copied.
func (m *mirror) arrived() error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		st, err := m.counter.Stats()
		if err != nil {
			return err
		}
		var seen uint64
		for _, n := range st.Packets {
			seen += n
		}
		switch {
		case st.RingFull > 0:
			return fmt.Errorf("%d packets were not told for want of room", st.RingFull)
		case seen == uint64(m.copied):
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("of %d frames that were copied %d arrived", m.copied, seen)
		}
	}
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
