package bpf

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

var update = flag.Bool("update", false, "write testdata/told.txt anew")

// runner runs the program on frames, by a clock that the test sets.
type runner struct {
	*Counter
	t testing.TB
}

// running loads the program for a test that gives it frames itself.
func running(t testing.TB, tune func(*tuning)) *runner {
	t.Helper()
	set, err := tuningFor(0)
	require.NoError(t, err)
	set.seed = 7
	set.sizes.ring = 1 << 18
	if tune != nil {
		tune(&set)
	}
	loaded(t, func(to *tuning) { *to = set }) // skips the test where that is not allowed
	c, err := assemble(set)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &runner{c, t}
}

// run gives the program a frame and reports whether it is told.
func (r *runner) run(frame []byte) bool {
	r.t.Helper()
	before := r.ring.AvailableBytes()
	_, err := r.objects.Synoptic.Run(&ebpf.RunOptions{Data: frame})
	require.NoError(r.t, err)
	after := r.ring.AvailableBytes()
	if after > r.ring.BufferSize()/2 {
		r.empty()
	}
	return after > before
}

// empty reads all that was told.
func (r *runner) empty() (ps []flows.Packet) {
	r.t.Helper()
	for r.ring.AvailableBytes() > 0 {
		r.ring.SetDeadline(time.Now().Add(time.Second))
		require.NoError(r.t, r.ring.ReadInto(&r.record))
		ps = r.decode(ps, r.record.RawSample)
	}
	return ps
}

// age begins a generation.
func (r *runner) age() {
	r.t.Helper()
	r.bloom.clear(r.life.generation + 1)
	r.life.generation++
	require.NoError(r.t, r.objects.Generation.Set(r.life.generation))
}

// TestTold keeps which frames of the captures the program tells, a bit each, for the model
// of it beside the tests of detect/sensor, which must tell the same. Left out is what the
// model does otherwise: datagrams to a group, for the time they were captured at is not
// the kernel's, and fragments.
func TestTold(t *testing.T) {
	r := running(t, nil)
	var files []string
	for _, pattern := range []string{"../testdata/captures/*.pcap*", "../testdata/lab/recordings/*.pcap"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found)
		files = append(files, found...)
	}
	var b bytes.Buffer
	for _, file := range files {
		r.age()
		r.age() // nothing is left of the capture before
		set, ok := r.toldOf(file)
		if !ok {
			continue // not of Ethernet
		}
		fmt.Fprintf(&b, "%s\t%s\n", filepath.ToSlash(file), hex.EncodeToString(set))
	}
	const golden = "testdata/told.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
	}
	kept, err := os.ReadFile(golden)
	require.NoError(t, err)
	const remedy = "go test ./bpf -run TestTold -update writes %s anew"
	before, after := strings.Split(string(kept), "\n"), strings.Split(b.String(), "\n")
	require.Len(t, after, len(before), remedy, golden)
	for i := range after {
		require.Equal(t, before[i], after[i], remedy, golden)
	}
}

// toldOf is which frames of a capture are told, the first in the highest bit. A generation
// lasts as long by the time of the packets as it would by the kernel's.
func (r *runner) toldOf(file string) (set []byte, ok bool) {
	source, err := capture.Open(file, capture.Config{})
	require.NoError(r.t, err)
	defer func() { _ = source.Close() }()
	frames := make([]capture.Frame, 256)
	var begun, now int64
	n := 0
	for {
		read, err := source.Read(frames)
		for _, f := range frames[:read] {
			if source.Link(f.Iface) != linkEthernet {
				return nil, false
			}
			if now = max(now, f.Time); begun == 0 || now-begun >= Generation {
				begun = now
				r.age()
			}
			if n%8 == 0 {
				set = append(set, 0)
			}
			p, ok := whole(f.Data)
			left := !ok || p.Has(flows.MarkFragmented) || p.Kind == flows.KindUDP && p.Has(flows.MarkGroup)
			if r.run(f.Data) && !left {
				set[n/8] |= 0x80 >> (n % 8)
			}
			n++
		}
		if err != nil {
			require.ErrorIs(r.t, err, io.EOF, file)
			return set, true
		}
	}
}
