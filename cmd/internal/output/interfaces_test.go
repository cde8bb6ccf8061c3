package output

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
)

func TestInterfaces(t *testing.T) {
	before := []capture.Interface{
		{Name: "lo", Index: 1, Link: 1, Counted: true, Packets: 5, Bytes: 500},
		{Name: "eth0", Index: 2, Link: 1, Counted: true, Packets: 1_000_000, Bytes: 1 << 40},
	}
	now := []capture.Interface{
		{
			Name: "lo", Index: 1, Link: 1, Counted: true, Packets: 5, Bytes: 500, Up: true, Running: true,
			Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")},
		},
		{Name: "eth0", Index: 2, Link: 1, Counted: true, Packets: 1_003_000, Bytes: 1<<40 + 1_500_000, Lost: 17, Up: true, Running: true},
		{Name: "eth\x1b1", Index: 3, Link: 1, Counted: true, Packets: 9, Up: true},
		{Name: "tun0", Index: 4, Link: 101, Running: true},
		{Name: "utun", Index: 5, Link: 0xffff, Up: true, Running: true},
	}
	var b bytes.Buffer
	require.NoError(t, Interfaces(&b, before, now, 1500*time.Millisecond, []Method{
		{Name: "ring", Why: errors.New("no"), Hints: []string{"do this", "or that"}},
		{Name: "libpcap", Works: "so"},
	}))
	require.Equal(t, ""+
		"INTERFACE  STATE       LINK    PACKETS/S  BIT/S      LOST  ADDRESSES\n"+
		"lo         up          EN10MB  0          0          0     127.0.0.1/8 ::1/128\n"+
		"eth0       up          EN10MB  2,000      8,000,000  17    \n"+
		"eth\\x1b1   no carrier  EN10MB  -          -          0     \n"+
		"tun0       down        RAW     -          -          -     \n"+
		"utun       up          -       -          -          -     \n"+
		"\n"+
		"ring     does not work: no\n"+
		"         do this\n"+
		"         or that\n"+
		"libpcap  works: so\n", b.String())
}
