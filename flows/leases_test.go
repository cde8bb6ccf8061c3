package flows

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestLeases: a server's look at an address that a client wants is marked, by ARP and by
// ping, for one address a wish; that of anybody else is not.
func TestLeases(t *testing.T) {
	const seconds = 1_000_000_000
	host := func(n byte) [16]byte { return mapped([4]byte{192, 0, 2, n}) }
	none, all := mapped([4]byte{}), mapped([4]byte{255, 255, 255, 255})
	table := NewTable(TableConfig{})
	send := func(at float64, p Packet) (marked bool) {
		p.Time = int64(at * seconds)
		for _, ev := range table.Add(&p, nil) {
			if ev.Kind == Opened {
				marked = ev.Marks&MarkLease != 0
			}
		}
		return marked
	}
	udp := func(from, to [16]byte, sport, dport uint16, marks Mark) Packet {
		return Packet{Kind: KindUDP, Proto: 17, Src: from, Dst: to, SrcPort: sport, DstPort: dport, Marks: marks, Payload: 300}
	}
	wish, offer := udp(none, all, 68, 67, MarkGroup), udp(host(30), all, 67, 68, MarkGroup|MarkReplyLike)
	arp := func(by, of byte) Packet { return Packet{Kind: KindARPRequest, Src: host(by), Dst: host(of)} }
	ping := func(by, of byte) Packet { return Packet{Kind: KindEchoRequest, Proto: 1, Src: host(by), Dst: host(of)} }

	send(0, wish)
	require.False(t, send(0.1, arp(30, 101)), "it is not known to be a server")
	send(0.2, offer)
	send(100, wish)
	require.False(t, send(100.1, ping(31, 102)), "no server")
	require.True(t, send(100.2, arp(30, 102)))
	require.True(t, send(100.3, ping(30, 102)))
	require.False(t, send(100.4, ping(30, 103)), "one wish, one address")
	send(101, udp(host(1), host(30), 67, 67, 0)) // by way of a relay
	require.True(t, send(101.1, ping(30, 104)))
	send(102, wish)
	require.False(t, send(105.1, ping(30, 105)), "too late")
	for range 3 {
		send(200, wish)
	}
	for n := range byte(5) {
		require.Equal(t, n < 3, send(201, ping(30, 110+n)))
	}
	for n := range byte(8) { // eight later servers
		send(300, udp(host(40+n), all, 67, 68, MarkGroup|MarkReplyLike))
	}
	send(300, wish)
	require.False(t, send(300.1, ping(30, 120)), "it is forgotten")
	require.True(t, send(300.2, ping(47, 120)))
}

// TestLeasesAgree: the table and the reference mark alike whatever comes.
func TestLeasesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := func(name string) [16]byte {
			return mapped([4]byte{192, 0, 2, byte(rapid.IntRange(0, 12).Draw(t, name))})
		}
		l, r := leases{}, &reference{}
		now := int64(1e18)
		for range rapid.IntRange(1, 200).Draw(t, "packets") {
			now += rapid.SampledFrom([]int64{0, 1, 4e8, 3e9}).Draw(t, "gap")
			r.clock = now
			p := Packet{Kind: KindUDP, Src: host("src"), Dst: host("dst"), SrcPort: 68, DstPort: 67}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				p.SrcPort, p.Marks = 67, MarkReplyLike
			case 1:
			default:
				p.Kind = KindEchoRequest
				require.Equal(t, r.leased(&p, ClassEcho), l.looks(&p, now))
				continue
			}
			l.note(&p, now)
			r.lease(&p)
		}
	})
}
