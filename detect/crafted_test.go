package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestCraftedPackets has, for each mark of a tool, the packet that bears it and
// one that misses it by little.
func TestCraftedPackets(t *testing.T) {
	const dst, seq = 0xc6336400, 0x01020304 // 198.51.100.0
	plain := flows.Attempt{
		Key: flows.Key{Responder: address(server), Port: 443, Class: flows.ClassTCP}, Technique: flows.TCPSYN,
		Seq: seq, Window: 64240, IPID: 7, SrcPort: 41000, Options: 1,
	}
	masscan := uint16((dst ^ 443 ^ seq) & 0xffff)
	cases := []struct {
		name   string
		change func(*flows.Attempt)
		want   bool
	}{
		{"an ordinary stack", func(*flows.Attempt) {}, false},
		{"no options", func(a *flows.Attempt) { a.Marks = flows.MarkNoOptions }, true},
		{"options cut off by the capture", func(a *flows.Attempt) { a.Marks = flows.MarkNoOptions | flows.MarkTruncated }, false},
		{"nmap's window", func(a *flows.Attempt) { a.Window = 1024 }, true},
		{"a window cut off by the capture", func(a *flows.Attempt) { a.Window, a.Marks = 1024, flows.MarkTruncated }, false},
		{"hping's window", func(a *flows.Attempt) { a.Window = 512 }, true},
		{"another window", func(a *flows.Attempt) { a.Window = 1025 }, false},
		{"an ordinary window that nmap's ACKs use", func(a *flows.Attempt) { a.Window = 4096 }, false},
		{"an acknowledgment number without ACK", func(a *flows.Attempt) { a.Ack = 1 }, true},
		{"half-open: a browser drops what it does not need", func(a *flows.Attempt) { a.HalfOpen = true }, false},
		{"the handshake was completed", func(a *flows.Attempt) { a.Handshake = true }, false},
		{"Mirai: the sequence number is the address", func(a *flows.Attempt) { a.Seq = dst }, true},
		{"the address and one", func(a *flows.Attempt) { a.Seq = dst + 1 }, false},
		{"Mirai, over IPv6", func(a *flows.Attempt) { a.Responder, a.Seq = address("2001:db8::c633:6400"), dst }, false},
		{"masscan's identification", func(a *flows.Attempt) { a.IPID = masscan }, true},
		{"masscan's and one", func(a *flows.Attempt) { a.IPID = masscan + 1 }, false},
		{"masscan's, but zero as stacks write it", func(a *flows.Attempt) { a.Seq, a.IPID = dst^443, 0 }, false},
		{"ZMap", func(a *flows.Attempt) { a.IPID, a.Window = 54321, 65535 }, true},
		{"ZMap's identification alone", func(a *flows.Attempt) { a.IPID = 54321 }, false},
		{"NULL", func(a *flows.Attempt) { a.Technique = flows.TCPNull }, true},
		{"Xmas", func(a *flows.Attempt) { a.Technique = flows.TCPXmas }, true},
		{"FIN", func(a *flows.Attempt) { a.Technique = flows.TCPFIN }, false},
		{"FIN with nmap's window, which a scaled one may be", func(a *flows.Attempt) { a.Technique, a.Window = flows.TCPFIN, 3072 }, false},
		{"ACK with a window of 5,120", func(a *flows.Attempt) { a.Technique, a.Window = flows.TCPACK, 5120 }, false},
		{"ACK with no window", func(a *flows.Attempt) { a.Technique, a.Window = flows.TCPACK, 0 }, false},
		{"Maimon with hping's window alone", func(a *flows.Attempt) { a.Technique, a.Window = flows.TCPMaimon, 512 }, false},
		{"UDP has no marks", func(a *flows.Attempt) { a.Technique, a.Marks, a.Window = flows.UDP, flows.MarkNoOptions, 1024 }, false},
	}
	for _, c := range cases {
		a := plain
		c.change(&a)
		require.Equal(t, c.want, crafted(&flows.Event{Attempt: a}, &source{}), c.name)
	}
}

// TestSameSender: one sequence number over several targets is no ordinary stack's,
// nor is one source port of flag probes; over one target it may be a retry.
func TestSameSender(t *testing.T) {
	before := &source{seen: true, port: 41000, seq: 5, target: address(server), to: 80}
	other := flows.Key{Responder: address(nth(server, 1)), Port: 80, Class: flows.ClassTCP}
	same := flows.Key{Responder: address(server), Port: 80, Class: flows.ClassTCP}
	for _, technique := range []flows.Technique{flows.TCPSYN, flows.TCPFIN, flows.TCPMaimon, flows.TCPACK} {
		for _, c := range []struct {
			name string
			s    *source
			a    flows.Attempt
			want bool
		}{
			{"same port, another target", before, flows.Attempt{Key: other, SrcPort: 41000, Seq: 6}, technique != flows.TCPSYN},
			{"same sequence, another target", before, flows.Attempt{Key: other, SrcPort: 41001, Seq: 5}, true},
			{"neither", before, flows.Attempt{Key: other, SrcPort: 41001, Seq: 6}, false},
			{"same port, the same target", before, flows.Attempt{Key: same, SrcPort: 41000, Seq: 6}, false},
			{"the first probe of all", &source{port: 41000}, flows.Attempt{Key: other, SrcPort: 41000}, false},
			{"no sequence at all", &source{seen: true, target: address(server)}, flows.Attempt{Key: other, SrcPort: 41000}, false},
		} {
			c.a.Technique, c.a.Window, c.a.Options = technique, 64240, 1
			require.Equal(t, c.want, crafted(&flows.Event{Attempt: c.a}, c.s), "%s, %s", c.name, techniqueName(technique))
		}
	}
}

// TestFlagProbesOfTools: what tells a tool's FINs and ACKs from what is left of
// conversations is what it repeats, not its window.
func TestFlagProbesOfTools(t *testing.T) {
	before := &source{seen: true, port: 2000, seq: 5, ack: 6, target: address(server), to: 80}
	key := flows.Key{Responder: address(nth(server, 1)), Port: 80, Class: flows.ClassTCP}
	for _, c := range []struct {
		name string
		a    flows.Attempt
		want bool
	}{
		{"hping: the next port and its window", flows.Attempt{SrcPort: 2001, Window: 512, Seq: 9, Ack: 9}, true},
		{"the same with an ordinary window", flows.Attempt{SrcPort: 2001, Window: 501, Seq: 9, Ack: 9}, false},
		{"its window from a port further on", flows.Attempt{SrcPort: 2065, Window: 512, Seq: 9, Ack: 9}, false},
		{"the same acknowledgement number", flows.Attempt{SrcPort: 2500, Window: 501, Seq: 9, Ack: 6}, true},
	} {
		c.a.Key, c.a.Technique = key, flows.TCPACK
		require.Equal(t, c.want, crafted(&flows.Event{Attempt: c.a}, before), c.name)
	}
}

// TestServersEndConversations: a server that closes or checks the connections of one
// client, begun before the capture, scans nobody; a tool from port 80 does.
func TestServersEndConversations(t *testing.T) {
	for _, tool := range []bool{false, true} {
		w := newWire(t, profile(t, "default"))
		for i := range 30 {
			p := w.dial(server, inside, uint16(50000+i)).packet(flows.FlagFIN|flows.FlagACK, 0)
			p.SrcPort, p.Window, p.Seq, p.Ack = 80, 1024, uint32(1000+77*i), uint32(5000+33*i)
			if tool {
				p.Seq, p.Ack = 1000, 0
			}
			w.send(float64(i), p)
		}
		w.end()
		require.Equal(t, tool, len(w.phase(Open)) > 0)
	}
}

// TestRepliesAlone: where questions cannot be seen, a server's answers to one client
// are no scan, a tool's datagrams from one port are.
func TestRepliesAlone(t *testing.T) {
	for _, server := range []bool{false, true} {
		s := &source{seen: true, port: 443, question: 7}
		ev := flows.Event{Attempt: flows.Attempt{Key: flows.Key{Port: 50001, Class: flows.ClassUDP}, SrcPort: 443, Question: 8}}
		if !server {
			ev.Question = 7
		}
		require.Equal(t, !server, repeatsQuestion(&ev, s))
	}
}

// TestCraftedFromPackets sees the marks as they come off the wire.
func TestCraftedFromPackets(t *testing.T) {
	cases := map[string]func(w *wire, i int) []flows.Packet{
		"one sequence number": func(w *wire, i int) []flows.Packet {
			c := w.dial(outside, nth(server, i), 22)
			c.seq = 31337
			return []flows.Packet{c.syn()}
		},
		"NULL": func(w *wire, i int) []flows.Packet {
			return []flows.Packet{w.dial(outside, nth(server, i), 22).packet(0, 0)}
		},
	}
	for name, packets := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			for i := range 6 {
				w.send(float64(i), packets(w, i)...)
			}
			s := w.closed(t)
			require.Equal(t, "crafted-hosts-on-a-port", s.Rule)
			require.GreaterOrEqual(t, s.Evidence.Crafted, 5)
		})
	}
}

// TestTailsOfConversations: lone FINs and ACKs of an ordinary stack to many
// hosts are what is left of conversations, not a scan of hosts.
func TestTailsOfConversations(t *testing.T) {
	for _, flags := range []uint8{flows.FlagACK, flows.FlagFIN | flows.FlagACK, flows.FlagFIN} {
		w := newWire(t, profile(t, "default"))
		for i := range 50 {
			w.send(float64(i), w.dial(inside, nth(server, i), 443).packet(flags, 0))
		}
		w.end()
		require.Empty(t, w.scans)
		w = newWire(t, profile(t, "default"))
		for i := range 50 {
			w.send(float64(i), w.dial(inside, server, uint16(i)).packet(flags, 0))
		}
		require.Equal(t, "ports-on-a-host", w.closed(t).Rule, "over the ports of a host they are one")
	}
}
