package flows

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
)

// TestTableIsTheReferenceOnCaptures reads the project's own captures and, where
// they are at hand, the labelled ones: in the directory that SYNOPTIC_CORPUS
// names, or beside the project.
func TestTableIsTheReferenceOnCaptures(t *testing.T) {
	if testing.Short() {
		t.Skip("is on one goroutine: minutes with the race detector")
	}
	t.Parallel()
	corpus := os.Getenv("SYNOPTIC_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "..", "shared", "corpus")
	}
	files := append(capturesBelow(t, filepath.Join("..", "testdata")), capturesBelow(t, corpus)...)
	if len(files) == 0 {
		t.Skip("no captures: SYNOPTIC_CORPUS names a directory of some")
	}
	for _, file := range files {
		t.Run(filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)), func(t *testing.T) {
			t.Parallel()
			sameEvents(t, decodeFile(t, file))
		})
	}
}

// capturesBelow lists the captures in a directory and those below it.
func capturesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case path == dir && errors.Is(err, fs.ErrNotExist):
			return fs.SkipAll
		case err != nil || d.IsDir():
			return err
		}
		if name := filepath.Base(path); strings.Contains(name, ".pcap") || strings.HasSuffix(name, ".erf") {
			files = append(files, path)
		}
		return nil
	})
	require.NoError(t, err)
	return files
}

// decodeFile returns the packets of a capture as far as it can be read.
func decodeFile(t *testing.T, file string) []Packet {
	t.Helper()
	src, err := capture.Open(file, capture.Config{})
	if err != nil {
		t.Skipf("not read: %v", err)
	}
	defer func() { require.NoError(t, src.Close()) }()
	var (
		d       Decoder
		packets []Packet
		frames  [256]capture.Frame
	)
	for {
		n, err := src.Read(frames[:])
		for _, f := range frames[:n] {
			packets = d.Append(packets, f.Data, Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: src.Link(f.Iface)})
		}
		var damage *capture.DamageError
		switch {
		case errors.Is(err, io.EOF):
			return packets
		case err != nil && !errors.As(err, &damage):
			t.Logf("read up to here: %v", err)
			return packets
		}
	}
}
