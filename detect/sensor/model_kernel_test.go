package sensor_test

import (
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

// TestModelTellsWhatTheKernelTells compares the model with the program, frame by frame: what
// that told of the captures is kept by its own test, TestTold of package bpf.
func TestModelTellsWhatTheKernelTells(t *testing.T) {
	kept, err := os.ReadFile("../../bpf/testdata/told.txt")
	require.NoError(t, err)
	var c comparison
	for line := range strings.Lines(string(kept)) {
		name, digits, _ := strings.Cut(strings.TrimSpace(line), "\t")
		told, err := hex.DecodeString(digits)
		require.NoError(t, err)
		c.capture(t, filepath.Join("..", "..", "bpf", name), told)
	}
	t.Logf("%+v", c)
	require.Greater(t, c.frames, 40_000)
	// Less is told of what the Bloom filter takes for known; more are ends of connections
	// whose questions it takes for told.
	require.Less(t, c.less, c.told/1000)
	require.Less(t, c.more, c.told/200)
}

// comparison counts frames.
type comparison struct{ frames, told, less, more int }

func (c *comparison) capture(t *testing.T, file string, told []byte) {
	t.Helper()
	source, err := capture.Open(file, capture.Config{})
	require.NoError(t, err)
	defer func() { _ = source.Close() }()
	m := newModel(source, 4096)
	n := 0
	for {
		read, err := source.Read(m.frames[:])
		for _, f := range m.frames[:read] {
			m.turn(f.Time)
			tells := false
			m.pending = m.decoder.Append(m.pending[:0], f.Data, flows.Meta{Time: f.Time, Len: f.Len, Link: source.Link(f.Iface)})
			for i := range m.pending {
				p := &m.pending[i]
				tells = m.tells(p) && !p.Has(flows.MarkFragmented) && (p.Kind != flows.KindUDP || !p.Has(flows.MarkGroup))
			}
			switch kernel := told[n/8]&(0x80>>(n%8)) != 0; {
			case tells && !kernel:
				t.Logf("%s, frame %d: the program did not tell it", file, n+1)
				c.less++
			case kernel && !tells:
				t.Logf("%s, frame %d: the model did not tell it", file, n+1)
				c.more++
			case kernel:
				c.told++
			}
			n++
		}
		c.frames += read
		if err != nil {
			require.ErrorIs(t, err, io.EOF, file)
			return
		}
	}
}
