package main

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// TestLiveEvidence: all packets of a scan that is seen live are kept, by a run that has given up all
// files but its own, and none is dropped in the kernel.
func TestLiveEvidence(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	dir := filepath.Join(t.TempDir(), "kept")
	run := captureLive(t, n, "-i", "b0", "-v", "--json", "-w", dir)
	run.expect("synoptic: settled conversations are read")
	sendCapture(t, n.Sender("a0"), "syn-vertical.pcap")
	run.read(`read 403 packets of b0`)
	var scan struct {
		File string `json:"evidence_file"`
	}
	require.NoError(t, json.NewDecoder(bytes.NewReader([]byte(run.interrupt()))).Decode(&scan))

	src, err := capture.Open(filepath.Join(dir, scan.File), capture.Config{})
	require.NoError(t, err)
	defer src.Close()
	packets := 0
	for fs := make([]capture.Frame, 64); err == nil; {
		var some int
		some, err = src.Read(fs)
		packets += some
	}
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, 403, packets)
}
