package main

import (
	"testing"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// TestLiveSettled: who may have the kernel drop settled conversations does, and its account
// has all packets all the same.
func TestLiveSettled(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	all := captureLive(t, n, "-i", "b0", "-v")
	all.expect("synoptic: settled conversations are dropped in the kernel")
	filtered := captureLive(t, n, "-i", "b0", "-v", "ip")
	filtered.expect("synoptic: settled conversations are read")
	sendCapture(t, n.Sender("a0"), "browser.pcap")
	all.read("read 1,144 packets of b0")
	all.interrupt()
	filtered.interrupt()
}
