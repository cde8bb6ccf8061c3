package flows

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/frames.txt anew")

// TestKeptFrames keeps the frames that the decoder is tested with, for the tests of other
// parsers: those of Ethernet as they are, those that begin with an IP header in Ethernet.
func TestKeptFrames(t *testing.T) {
	var b bytes.Buffer
	for _, s := range seedFrames(t) {
		switch {
		case s.link == linkEthernet:
			fmt.Fprintf(&b, "%s\t%x\n", s.name, s.data)
		case s.link == linkRaw && len(s.data) > 0 && s.data[0]>>4 == 6:
			fmt.Fprintf(&b, "%s\t%s\n", s.name, hex.EncodeToString(ether(etherIPv6, s.data)))
		case s.link == linkRaw:
			fmt.Fprintf(&b, "%s\t%s\n", s.name, hex.EncodeToString(ether(etherIPv4, s.data)))
		}
	}
	const file = "testdata/frames.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(b.Bytes(), kept), "go test ./flows -run TestKeptFrames -update writes %s anew", file)
}
