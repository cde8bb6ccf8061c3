package flows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// talks are conversations to be woven together. $C is the client, $S the
// server, $T another port of the server, $N a further host.
var talks = []string{
	"0s S $C > $S seq=9\n20ms SA $S > $C ack=10\n40ms A $C > $S seq=10\n45ms PA $C > $S seq=10 len=50\n60ms A $S > $C\n70ms PA $S > $C len=90\n80ms FA $C > $S\n99ms FA $S > $C\n100ms A $C > $S",
	"0s S $C > $S seq=9\n20ms SA $S > $C seq=19 ack=10\n40ms A $C > $S seq=10 ack=20\n45ms PA $C > $S seq=10 ack=20 len=50\n60ms PA $S > $C seq=20 ack=60 len=1400\n70ms PA $S > $C seq=3900 len=1400\n80ms FA $C > $S seq=6000 ack=5300\n99ms FA $S > $C seq=5300 ack=6001\n100ms R $C > $S seq=6001",
	"0s S $C > $S seq=9\n20ms SA $S > $C seq=19 ack=10\n45ms PA $C > $S seq=10 ack=20 len=50\n60ms PA $S > $C seq=20 ack=60 len=90\n8s S $C > $S seq=99\n8.1s SA $S > $C seq=9 ack=100\n9s PA $C > $S seq=100 ack=10 len=5\n11s PA $S > $C seq=10 ack=105 len=5\n35s RA $S > $C seq=9000 ack=105",
	"0s S $C > $S seq=9\n20ms SA $S > $C ack=10\n40ms PA $S > $C len=9\n45ms PA $C > $S seq=10 len=50\n60ms A $S > $C\n70ms PA $C > $S len=26 order=c:25\n80ms PA $S > $C len=9",
	"0s PA $C > $S len=9 order=c:25\n10ms PA $S > $C len=9\n20ms PA $C > $S len=26 order=c:25\n30ms PA $S > $C len=9 order=b:1",
	"0s S $C > $S seq=9\n20ms SA $S > $C ack=10\n40ms A $C > $S seq=10\n15s PA $C > $S seq=10 len=50\n15.1s A $S > $C",
	"0s S $C > $S seq=9\n1ms RA $S > $C ack=10",
	"0s S $C > $S seq=9\n1s S $C > $S seq=9\n3s S $C > $S seq=9\n7s S $C > $S seq=9\n15s S $C > $S seq=9",
	"0s S $C > $S seq=9\n10ms SA $S > $C\n11ms R $C > $S seq=10",
	"0s S $C > $S seq=9\n700ms SA $S > $C\n701ms R $C > $S seq=10",
	"0s S $C > $S seq=9\n10ms SA $S > $C\n1s SA $S > $C\n3s SA $S > $C",
	"0s S $C > $S seq=9\n10ms SA $S > $C\n20ms A $C > $S seq=10\n2s FA $C > $S seq=10\n2.1s FA $S > $C",
	"0s S $C > $S seq=9\n20ms A $C > $S seq=10\n25ms PA $C > $S seq=10 len=50\n80ms FA $C > $S seq=60",
	"0s S $C > $S seq=9\n25ms PA $C > $S seq=10 len=50\n80ms FA $C > $S seq=60",
	"0s S $C > $S seq=9\n5ms unreachable $N > $C code=13 quote=6:$C>$S",
	"0s S $C > $S seq=9\n5ms exceeded $N > $C quote=6:$C>$S\n20ms S $C > $S seq=10\n30ms SA $S > $C",
	"0s F $C > $S seq=9\n1ms RA $S > $C",
	"0s none $C > $S seq=9\n900ms none $C > $S seq=9",
	"0s FPU $C > $S seq=9\n1ms RA $S > $C",
	"0s FA $C > $S seq=9 ack=1\n600ms FA $C > $S seq=9 ack=1\n700ms R $C > $S seq=10",
	"0s A $C > $S seq=9 ack=1\n10ms R $S > $C",
	"0s A $C > $S seq=9 ack=1\n600ms PA $C > $S seq=9 ack=1 len=9\n610ms A $S > $C",
	"0s PA $C > $S len=9\n10ms A $S > $C\n20ms PA $S > $C len=9\n30ms FA $C > $S\n40ms FA $S > $C\n50ms A $C > $S\n60ms R $C > $S",
	"0s A $S > $C\n600ms A $S > $C seq=7\n700ms S $C > $S seq=77",
	"0s SA $S > $C\n1s SA $S > $C\n2s RA $S > $C",
	"0s P $C > $S\n1ms SP $S > $C\n20ms U $C > $S\n21ms S $S > $C\n22ms SA $C > $S\n23ms S $S > $C",
	"0s PA $S > $C\n1ms R $C > $S\n2ms S $S > $C\n3ms RA $C > $S",
	"0s R $C > $S\n1ms S $S > $C\n2ms S $T > $C\n3ms S $C > $T\n15s R $C > $S\n16s S $S > $C",
	"0s udp $C > $S\n20ms udp $S > $C reply",
	"0s udp $C > $S\n900ms udp $S > $C reply\n1s udp $C > $S\n1.02s udp $S > $C",
	"0s udp $C > $S\n5s udp $C > $S\n70s udp $C > $S\n100s udp $S > $C",
	"0s udp $C > $S\n5ms unreachable $N > $C code=3 quote=17:$C>$S",
	"0s udp $C > $S\n5ms exceeded $N > $C quote=17:$C>$S\n10ms udp $C > $S",
	"0s udp $C > $S\n20ms udp $T > $C\n30ms udp $C > $T\n20s udp $T > $C\n45s udp $T > $C\n70s udp $T > $C\n110s udp $T > $C",
	"0s udp $C > 224.0.0.251:5353 group\n40ms udp $S > $C\n50ms udp $T > $C\n29s udp $N:2000 > $C\n31s udp $N:2001 > $C",
	"0s udp $S > $C reply\n10ms udp $S > $C",
	"0s udp $S > $C\n30ms udp $C > $S\n60ms udp $S > $C",
	"0s udp $S > $N:2000\n1ms udp $N:2000 > $S\n10ms udp $S > $C\n11ms udp $C > $S\n20ms udp $S > $T\n21ms udp $T > $S\n90ms udp $S > $N:4000",
	"0s echo $C > $S id=1 seq=1\n5ms echo-reply $S > $C id=1 seq=1\n1s echo $C > $S id=1 seq=2\n1.005s echo-reply $S > $C id=1 seq=2",
	"0s echo $C > $S id=1\n700ms echo-reply $S > $C id=1",
	"0s echo $C > $S id=2\n5ms exceeded $N > $C quote=1:$C>$S\n1s echo $C > $S id=2",
	"0s timestamp $C > $S\n1ms timestamp-reply $S > $C\n2ms mask $C > $S\n600ms mask-reply $S > $C",
	"0s arp $C > $S group\n1ms arp-reply $S > $C\n2s arp $C > $C group",
	"0s solicit $C > $S group\n1s solicit $C > $S group\n1.001s advert $S > $C",
	"0s init $C > $S seq=7\n1ms init-ack $S > $C seq=7\n2ms cookie $C > $S seq=8\n3ms cookie-ack $S > $C\n9ms sctp $C > $S",
	"0s init $C > $S seq=7\n1ms unreachable $N > $C quote=132:$C>$S\n2ms abort $S > $C",
	"0s init $C > $S seq=7\n1ms abort $S > $C\n2ms init $C > $T seq=7\n900ms init-ack $T > $C",
	"0s cookie $C > $S seq=7\n1ms abort $S > $C",
	"0s proto $C > $S proto=50\n1ms proto $S > $C proto=50\n2ms proto $C > $S proto=51",
	"0s fragment $C > $S\n0s icmp $C > $S",
}

var (
	talkHosts  = []string{"a", "b", "c", "198.51.100.7"}
	talkPorts  = []int{21, 80, 1024, 40000, 40001, 50000}
	talkStarts = []int64{0, 0, 1, 9, 30, 50, 200, 450, 500, 950, 1000, 2000, 9500, 10000, 20000, 30000, 60000, 61000, 90000}
)

// talk draws a conversation: which, between whom, when, and what of it was captured.
func talk(t *rapid.T) trace {
	host := func(name string) string { return rapid.SampledFrom(talkHosts).Draw(t, name) }
	port := func(name string) int { return rapid.SampledFrom(talkPorts).Draw(t, name) }
	client, server := host("client"), host("server")
	names := strings.NewReplacer(
		"$C", fmt.Sprintf("%s:%d", client, port("client port")),
		"$S", fmt.Sprintf("%s:%d", server, port("server port")),
		"$T", fmt.Sprintf("%s:%d", server, port("other port")),
		"$N", host("other"),
	)
	start := rapid.SampledFrom(talkStarts).Draw(t, "start") * refMilli
	lost := rapid.SampledFrom([]string{"", "", "", "", "client", "server", "some"}).Draw(t, "lost")
	double := rapid.SampledFrom([]int64{-1, -1, -1, 0, refMilli}).Draw(t, "double")
	iface, vlan := rapid.SampledFrom([]uint32{0, 0, 1}).Draw(t, "if"), rapid.SampledFrom([]uint16{0, 0, 9}).Draw(t, "vlan")
	var packets trace
	for line := range strings.Lines(rapid.SampledFrom(talks).Draw(t, "talk")) {
		p, err := refParse(names.Replace(line))
		if err != nil {
			t.Fatalf("%v", err)
		}
		fromClient := strings.Contains(line, "$C >")
		if lost == "client" && fromClient || lost == "server" && !fromClient || lost == "some" && rapid.Bool().Draw(t, "gone") {
			continue
		}
		if p.Kind != KindTCP && p.Kind != KindUDP && p.Proto != 132 {
			p.SrcPort, p.DstPort = 0, 0
		}
		p.Time += start
		p.Iface, p.VLAN = iface, vlan
		packets = append(packets, p)
		if double >= 0 {
			p.Time += double
			packets = append(packets, p)
		}
	}
	return packets
}

// TestTableIsTheReferenceOnTraffic weaves conversations together, delivers them
// out of order, cuts off their beginning and sets clocks back.
func TestTableIsTheReferenceOnTraffic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		packets := slices.Concat(rapid.SliceOfN(rapid.Custom(talk), 1, 25).Draw(t, "talks")...)
		slices.SortStableFunc(packets, func(a, b Packet) int { return cmp.Compare(a.Time, b.Time) })
		packets = late(t, packets)
		packets = packets[rapid.IntRange(0, len(packets)/3).Draw(t, "cut"):]
		jump(t, packets)
		sameEvents(t, append(oneWay(t), packets...))
	})
}

// oneWay draws what was seen before of TCP, so that the capture is blind to
// replies, or almost.
func oneWay(t *rapid.T) trace {
	flows := rapid.SampledFrom([][2]int{{}, {}, {18, 2}, {19, 2}, {20, 0}, {40, 3}}).Draw(t, "unseen and seen flows")
	var packets trace
	for line := range strings.Lines(oneWayFlows(flows[0], flows[1])) {
		p, err := refParse(line)
		if err != nil {
			t.Fatalf("%v", err)
		}
		packets = append(packets, p)
	}
	return packets
}

// late lets some packets arrive behind others that left later.
func late(t *rapid.T, packets trace) trace {
	most := rapid.SampledFrom([]int64{0, 0, 20 * refMilli, 60 * refMilli, 2 * refSecond}).Draw(t, "late")
	if most == 0 {
		return packets
	}
	type arrival struct {
		p  Packet
		at int64
	}
	all := make([]arrival, len(packets))
	for i, p := range packets {
		all[i] = arrival{p, p.Time}
		if rapid.IntRange(0, 3).Draw(t, "is late") == 0 {
			all[i].at += rapid.Int64Range(0, most).Draw(t, "by")
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	for i := range all {
		packets[i] = all[i].p
	}
	return packets
}

// jump sets clocks to another time from some packet on, of all interfaces or of one.
func jump(t *rapid.T, packets trace) {
	for range rapid.IntRange(0, 2).Draw(t, "jumps") {
		from := rapid.IntRange(0, len(packets)).Draw(t, "from")
		by := rapid.SampledFrom([]int64{-refMinute, -refMinute - refMilli, -3600 * refSecond, -86400 * refSecond, 3600 * refSecond}).Draw(t, "by")
		one := rapid.Bool().Draw(t, "one interface")
		for i := from; i < len(packets); i++ {
			if !one || packets[i].Iface == 1 {
				packets[i].Time += by
			}
		}
	}
}
