package flows

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// benchFrames is the mix that decoding is measured on: TCP with timestamps,
// SYNs, UDP, and the same behind a VLAN tag.
func benchFrames(b testing.TB) (tcp, mix [][]byte) {
	data := frame(b, eth(), ip4(layers.IPProtocolTCP),
		&layers.TCP{SrcPort: 443, DstPort: 40000, ACK: true, Seq: 7, Ack: 9, Window: 512, Options: timestamps()},
		gopacket.Payload(make([]byte, 600)))
	syn := frame(b, eth(), ip4(layers.IPProtocolTCP),
		&layers.TCP{SrcPort: 40000, DstPort: 443, SYN: true, Seq: 7, Window: 64240, Options: synOptions()})
	bare := frame(b, eth(), ip4(layers.IPProtocolTCP), &layers.TCP{SrcPort: 40000, DstPort: 22, SYN: true, Seq: 7, Window: 1024})
	udp := frame(b, eth(), ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 53, DstPort: 40000}, gopacket.Payload(make([]byte, 100)))
	tagged := frame(b, ethOf(layers.EthernetTypeDot1Q), tag(100, layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP),
		&layers.TCP{SrcPort: 443, DstPort: 40000, ACK: true, Options: timestamps()}, gopacket.Payload(make([]byte, 600)))
	six := frame(b, ethOf(layers.EthernetTypeIPv6), ip6(layers.IPProtocolTCP),
		&layers.TCP{SrcPort: 443, DstPort: 40000, ACK: true, Options: timestamps()}, gopacket.Payload(make([]byte, 600)))
	return [][]byte{data, syn, bare, data}, [][]byte{data, syn, udp, data, tagged, bare, six, data}
}

func BenchmarkDecode(b *testing.B) {
	tcp, mix := benchFrames(b)
	for _, c := range []struct {
		name   string
		frames [][]byte
	}{{"tcp-data", tcp[:1]}, {"tcp-syn", tcp[1:2]}, {"tcp", tcp}, {"mix", mix}} {
		b.Run(c.name, func(b *testing.B) {
			var d Decoder
			batch := make([]Packet, 0, 256)
			b.ReportAllocs()
			packets := 0
			for b.Loop() {
				batch = batch[:0]
				for len(batch) < 256 {
					for _, f := range c.frames {
						batch = d.Append(batch, f, Meta{Time: 1, Len: uint32(len(f)), Link: linkEthernet})
					}
				}
				packets += len(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	frames := seedFrames(t)
	var d Decoder
	batch := make([]Packet, 0, len(frames))
	run := func() {
		batch = batch[:0]
		for _, f := range frames {
			batch = d.Append(batch, f.data, Meta{Len: uint32(len(f.data)), Link: f.link})
		}
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Fatalf("%v allocations over %d frames", n, len(frames))
	}
	if len(batch) == 0 {
		t.Fatal("no packet decoded")
	}
}
