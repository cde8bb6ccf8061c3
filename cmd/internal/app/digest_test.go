package app

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
)

func scanner(n int) netip.Addr {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	binary.BigEndian.PutUint32(a[12:], uint32(n))
	return netip.AddrFrom16(a)
}

// closing is a scan that closes.
func closing(at detect.Time, src int, technique string, port uint16) *detect.Scan {
	s := &detect.Scan{
		ID: scanner(src).String(), Phase: detect.Close, Time: at, Src: scanner(src), Technique: technique, Proto: "tcp",
		Severity: 2, Targets: 10, Attempts: 12,
	}
	if port > 0 {
		s.Port = &port
	}
	return s
}

func TestDigest(t *testing.T) {
	const start = 495_000 * hour
	v := newSevere(3)
	require.Nil(t, v.due(start))
	for i := range 30 {
		s := closing(start+hour/2+detect.Time(i), i%20, "tcp-syn", uint16(100+i%12))
		require.Nil(t, v.due(s.Time))
		require.False(t, v.lets(s))
	}
	v.lets(closing(start+hour/2, 1, "tcp-fin", 0))
	loud := closing(start+hour/2, 77, "tcp-syn", 23)
	loud.Severity = 3
	require.True(t, v.lets(loud), "what is told is in no digest")
	merged := closing(start+hour/2, 78, "tcp-syn", 23)
	merged.MergedInto = "other"
	require.False(t, v.lets(merged))

	require.Nil(t, v.due(start+hour-1))
	d := v.due(start + hour + 5)
	require.NotNil(t, d)
	require.Equal(t, []output.DigestTechnique{{Technique: "tcp-syn", Scans: 30}, {Technique: "tcp-fin", Scans: 1}}, d.Techniques)
	require.Len(t, d.Ports, 10)
	require.Equal(t, output.DigestPort{Port: 100, Proto: "tcp", Scans: 3}, d.Ports[0])
	require.Equal(t, output.DigestPort{Port: 109, Proto: "tcp", Scans: 2}, d.Ports[9])
	d.Techniques, d.Ports = nil, nil
	require.Equal(t, &output.Digest{
		Event: "digest", Time: start + hour + 5, First: start, Last: start + hour, MinSeverity: 3,
		Scans: 31, Sources: 20, Targets: 310, Attempts: 372, PortsOthers: 4, Mixed: 1,
	}, d)
	require.Nil(t, v.due(start+9*hour), "an hour without any has none")
	require.Nil(t, v.rest())

	v.lets(closing(start+9*hour, 1, "tcp-syn", 22))
	rest := v.rest()
	require.Equal(t, uint64(1), rest.Scans)
	require.Equal(t, start+9*hour, rest.First)
	require.EqualValues(t, 32, v.withheld)
}

// TestDigestBounds: what is counted one by one is bounded, and says so.
func TestDigestBounds(t *testing.T) {
	v := newSevere(5)
	for i := range mostSources + 10 {
		v.lets(closing(hour, i, "tcp-syn", uint16(1+i%5000)))
	}
	require.Len(t, v.digest.sources, mostSources)
	require.Len(t, v.digest.ports, mostPorts)
	d := v.rest()
	require.True(t, d.Estimated)
	require.Equal(t, mostSources, d.Sources)
	listed := d.PortsOthers
	for _, p := range d.Ports {
		listed += p.Scans
	}
	require.Equal(t, d.Scans, listed)

	crowd := closing(hour, 0, "tcp-syn", 22)
	crowd.Src, crowd.Srcs, crowd.Sources = netip.Addr{}, []netip.Addr{scanner(1), scanner(2)}, 2
	v.lets(crowd)
	d = v.rest()
	require.Equal(t, 2, d.Sources)
	require.False(t, d.Estimated)
}
