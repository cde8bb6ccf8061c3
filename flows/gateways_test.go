package flows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// linked are a client's productive exchange with a server: the client's frames
// come from one link address, the server's from another.
func linked(i int, client, server byte, clientMAC, serverMAC byte) []Packet {
	at := int64(1_700_000_000)*second + int64(i)*second
	ask := Packet{Kind: KindUDP, Proto: protoUDP, SrcPort: uint16(40000 + i), DstPort: 53, Time: at, Payload: 9}
	ask.Src = [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: client}
	ask.Dst = [16]byte{10: 0xff, 11: 0xff, 12: 203, 14: 113, 15: server}
	ask.SrcMAC = [6]byte{2, 5: clientMAC}
	reply := ask
	reply.Src, reply.Dst, reply.SrcPort, reply.DstPort = ask.Dst, ask.Src, ask.DstPort, ask.SrcPort
	reply.SrcMAC = [6]byte{2, 5: serverMAC}
	return []Packet{ask, reply}
}

func arpFrom(mac, host byte, at int64) Packet {
	p := Packet{Kind: KindARPRequest, Time: at, SrcMAC: [6]byte{2, 5: mac}}
	p.Src = [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: host}
	p.Dst = [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: 200}
	return p
}

// TestGateways: a link address that has carried three other hosts is a
// gateway's, told alike by the table and the reference; a host's own is not.
func TestGateways(t *testing.T) {
	for _, tt := range []struct {
		name    string
		servers int // behind the asking link address
		asks    byte
		gateway bool
	}{
		{"two others", 2, 9, false},
		{"three others", 3, 9, true},
		{"its own is none of them", 3, 1, true}, // no server has 192.0.2.1
		{"a host among clients", 0, 77, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, l := range ruleLines {
				line := l.make()
				i := 0
				for s := range tt.servers {
					for _, p := range linked(i, 77, byte(s+1), 7, 1) {
						line.add(&p)
					}
					i++
				}
				mac := byte(1)
				if tt.asks == 77 {
					mac = 7
				}
				p := arpFrom(mac, tt.asks, int64(1_700_000_100)*second)
				var opened *Event
				for _, ev := range line.add(&p) {
					if ev.Class == ClassARP {
						opened = &ev
					}
				}
				require.NotNil(t, opened, l.name)
				require.Equal(t, tt.gateway, opened.Marks&MarkGateway != 0, l.name)
				require.Zero(t, p.Marks, "the caller's packet stays as it is")
			}
		})
	}
}

// TestGatewaysFromTheMiddle: conversations whose beginning was not seen tell which
// link addresses carry whom, once both sides have sent payload.
func TestGatewaysFromTheMiddle(t *testing.T) {
	for _, tt := range []struct {
		name    string
		payload uint16 // of the clients' segments
		gateway bool
	}{
		{"both sides speak", 5, true},
		{"one side speaks", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, l := range ruleLines {
				line := l.make()
				for n := range byte(6) {
					server := n / 2 // two exchanges each
					for i, p := range linked(int(server), 77, server+1, 7, 1) {
						p.Kind, p.Proto, p.Flags, p.EchoedTime = KindTCP, protoTCP, FlagACK|FlagPSH, 1
						p.Payload = 5
						if i == 0 {
							p.Payload = tt.payload
						}
						line.add(&p)
					}
				}
				p := arpFrom(1, 9, int64(1_700_000_100)*second)
				events := line.add(&p)
				require.NotEmpty(t, events, l.name)
				require.Equal(t, tt.gateway, events[len(events)-1].Marks&MarkGateway != 0, l.name)
			}
		})
	}
}

// TestGatewaysByHandshakes: where no payload is given, SYN-ACKs that fit tell as much, and
// others nothing.
func TestGatewaysByHandshakes(t *testing.T) {
	for _, fits := range []bool{true, false} {
		for _, l := range endsLines {
			line := l.make()
			for s := range byte(3) {
				for _, p := range linked(int(s), 77, s+1, 7, 1) {
					p.Kind, p.Proto, p.Payload, p.Flags, p.Seq = KindTCP, protoTCP, 0, FlagSYN, 70
					if p.SrcPort == 53 {
						p.Flags, p.Ack = FlagSYN|FlagACK, 71
					}
					if !fits {
						p.Ack++
					}
					line.add(&p)
				}
			}
			p := arpFrom(1, 9, int64(1_700_000_100)*second)
			opened := eventsOf(line.add(&p), Opened, "192.0.2.9")
			require.Len(t, opened, 1)
			require.Equal(t, fits, opened[0].Marks&MarkGateway != 0, l.name)
		}
	}
}
