package sensor_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// Link-layer addresses: the scanner's side, the target's side, an access point,
// another one.
var (
	nearMAC   = []byte{0x02, 0x00, 0x5e, 0x10, 0x00, 0x01}
	farMAC    = []byte{0x02, 0x00, 0x5e, 0x10, 0x00, 0x02}
	accessMAC = []byte{0x02, 0x00, 0x5e, 0x10, 0x00, 0x03}
	bridgeMAC = []byte{0x02, 0x00, 0x5e, 0x10, 0x00, 0x04}
)

// macs are the destination and the source of a packet.
func (p pdu) macs() (dst, src []byte) {
	if p.back {
		return nearMAC, farMAC
	}
	return farMAC, nearMAC
}

// bridged is a packet in an Ethernet header, as tunnels carry it.
func bridged(p pdu) pdu {
	const transparentBridging = 0x6558
	dst, src := p.macs()
	return p.behind(transparentBridging, dst, src, be16(int(p.kind)))
}

// ether is a packet on an Ethernet, padded to its least length.
func ether(p pdu) pdu {
	p = bridged(p)
	for len(p.data) < 60 {
		p.data = append(p.data, 0)
	}
	return p
}

// tagged adds a VLAN tag with one of the tag types.
func tagged(tpid uint16, id int) layer {
	return func(p pdu) pdu {
		return p.behind(tpid, be16(id), be16(int(p.kind)))
	}
}

// snap802 is the 802.2 header with SNAP that carries an ethertype.
func snap802(p pdu) pdu { return p.behind(0, []byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(int(p.kind))) }

// ether802 is an 802.3 frame: a length where Ethernet has a type.
func ether802(p pdu) pdu {
	p = snap802(p)
	dst, src := p.macs()
	return p.behind(0, dst, src, be16(len(p.data)))
}

// family is the address family of a packet where IPv6 has the number six.
func (p pdu) family(six int) int {
	if p.kind == 0x86dd {
		return six
	}
	return 2
}

// head puts bytes in front that depend on the packet alone.
func head(f func(p pdu) []byte) layer {
	return func(p pdu) pdu { return p.behind(0, f(p)) }
}

// always puts the same bytes in front.
func always(b ...byte) layer { return head(func(pdu) []byte { return b }) }

// pppProtocol is the number that PPP has for an ethertype.
func (p pdu) pppProtocol() int {
	return map[uint16]int{0x0800: 0x21, 0x86dd: 0x57, 0x8847: 0x281}[p.kind]
}

func ppp(p pdu) pdu { return p.behind(0, be16(p.pppProtocol())) }

// pppoe is a PPPoE session header (RFC 2516) and PPP's protocol number.
func pppoe(p pdu) pdu {
	p = ppp(p)
	return p.behind(0x8864, []byte{0x11, 0}, be16(7), be16(len(p.data)))
}

// cooked is the header of Linux' cooked capture, version 1.
func cooked(p pdu) pdu {
	_, src := p.macs()
	return p.behind(0, be16(0), be16(1), be16(6), src, be16(0), be16(int(p.kind)))
}

// cooked2 is version 2 of it.
func cooked2(p pdu) pdu {
	_, src := p.macs()
	return p.behind(0, be16(int(p.kind)), be16(0), be32(3), be16(1), []byte{0, 6}, src, be16(0))
}

// Bits of the 802.11 frame control field's second byte.
const (
	toDS      = 0x01
	fromDS    = 0x02
	retried   = 0x08
	htControl = 0x80 // called "order"
)

// wifi is an 802.11 data frame with SNAP. qos are the bytes of the QoS control
// field, none for a frame without; with the order bit the HT control field
// follows them. pad adds what some drivers put in between to align the packet.
func wifi(control byte, qos []byte, pad int) layer {
	return func(p pdu) pdu {
		p = snap802(p)
		dst, src := p.macs()
		var addresses [][]byte
		switch control & (toDS | fromDS) {
		case 0:
			addresses = [][]byte{dst, src, accessMAC, {0x10, 0}}
		case toDS:
			addresses = [][]byte{accessMAC, src, dst, {0x10, 0}}
		case fromDS:
			addresses = [][]byte{dst, accessMAC, src, {0x10, 0}}
		default:
			addresses = [][]byte{bridgeMAC, accessMAC, dst, {0x10, 0}, src}
		}
		const data, ofQoS = 0x08, 0x80
		h := slices.Concat([]byte{data, control, 0x2c, 0}, slices.Concat(addresses...))
		if qos != nil {
			h[0] |= ofQoS
			h = append(h, qos...)
		}
		if control&htControl != 0 {
			h = append(h, 1, 2, 3, 4)
		}
		return p.behind(0, h, make([]byte, pad))
	}
}

// radiotap is a radiotap header with the given fields; present may have more
// than one word.
func radiotap(fields []byte, present ...int) layer {
	return func(p pdu) pdu {
		var words []byte
		for _, w := range present {
			words = append(words, le32(w)...)
		}
		return p.behind(0, []byte{0, 0}, le16(4+len(words)+len(fields)), words, fields)
	}
}

// Bits of the first radiotap presence word, and of its flags field.
const (
	hasTime     = 1 << 0
	hasFlags    = 1 << 1
	hasRate     = 1 << 2
	hasChannel  = 1 << 3
	hasAntenna  = 1 << 11
	nextVendor  = 1 << 30
	nextWord    = 1 << 31
	flagFCS     = 0x10
	flagPadding = 0x20
)

// prism is the header of 144 bytes that old drivers write, in the byte order of
// the machine.
func prism(order binary.ByteOrder) layer {
	return func(p pdu) pdu {
		h := make([]byte, 144)
		order.PutUint32(h, 0x44)
		order.PutUint32(h[4:], 144)
		copy(h[8:], "wlan0")
		for i := range 10 {
			item := h[24+12*i:]
			order.PutUint32(item, uint32((i+1)<<16|0x44))
			order.PutUint16(item[6:], 4)
		}
		return p.behind(0, h)
	}
}

// avs is the AVS header, version 1.
func avs(p pdu) pdu { return p.behind(0, be32(0x80211001), be32(64), make([]byte, 56)) }

// pflog is the header of a packet filter's log. Its length field does not count
// the padding in older versions.
func pflog(length, six int) layer {
	return head(func(p pdu) []byte {
		h := make([]byte, (length+3)&^3)
		h[0], h[1], h[2] = byte(length), byte(p.family(six)), 1
		copy(h[4:], "em0")
		return h
	})
}

// pktap is Apple's header, with the DLT number of what follows.
func pktap(dlt int, iface string) layer {
	return head(func(p pdu) []byte {
		h := make([]byte, 108)
		binary.LittleEndian.PutUint32(h, 108)
		binary.LittleEndian.PutUint32(h[4:], 1)
		binary.LittleEndian.PutUint32(h[8:], uint32(dlt))
		copy(h[12:], iface)
		binary.LittleEndian.PutUint32(h[40:], uint32(p.family(30)))
		copy(h[56:], "scanner")
		return h
	})
}

// nflog is the header of the netfilter log with some attributes, the packet last.
func nflog(p pdu) pdu {
	attribute := func(kind int, value []byte) []byte {
		return slices.Concat(le16(4+len(value)), le16(kind), value, make([]byte, -len(value)&3))
	}
	return p.behind(
		0, []byte{byte(p.family(10)), 0}, be16(5),
		attribute(1, slices.Concat(be16(int(p.kind)), []byte{1, 0})), // packet header
		attribute(10, []byte("dropped\x00")),                         // prefix
		attribute(4, be32(2)),                                        // interface
		attribute(14, []byte{9}),                                     // one byte, with padding
		le16(4+len(p.data)), le16(9),                                 // payload
	)
}

// links are the ways to carry a packet with no other packet around it.
func links() []wrapping {
	qos := []byte{5, 0}
	null := func(six int, bytes func(int) []byte) layer {
		return head(func(p pdu) []byte { return bytes(p.family(six)) })
	}
	all := []wrapping{
		{name: "Ethernet", link: 1, layers: []layer{ether}},
		{name: "Ethernet with check sequence", link: 1, word: 2<<28 | 1<<26, tail: 4, layers: []layer{ether}},
		{name: "802.3 with SNAP", link: 1, layers: []layer{ether802}},
		{name: "VLAN", link: 1, layers: []layer{tagged(0x8100, 42), ether}},
		{name: "priority tag", link: 1, layers: []layer{tagged(0x8100, 0), ether}},
		{name: "QinQ 88a8", link: 1, layers: []layer{tagged(0x8100, 42), tagged(0x88a8, 7), ether}},
		{name: "QinQ 9100", link: 1, layers: []layer{tagged(0x8100, 42), tagged(0x9100, 7), ether}},
		{name: "QinQ 8100", link: 1, layers: []layer{tagged(0x8100, 42), tagged(0x8100, 7), ether}},
		{name: "three tags", link: 1, layers: []layer{tagged(0x8100, 42), tagged(0x8100, 7), tagged(0x88a8, 3), ether}},
		{name: "RAW 12", link: 12},
		{name: "RAW 14", link: 14},
		{name: "RAW", link: 101},
		{name: "IPV4", link: 228, only: 4},
		{name: "IPV6", link: 229, only: 6},
		{name: "NULL", link: 0, layers: []layer{null(30, le32)}},
		{name: "NULL of FreeBSD", link: 0, layers: []layer{null(28, le32)}},
		{name: "NULL of OpenBSD", link: 0, layers: []layer{null(24, le32)}},
		{name: "NULL of Linux", link: 0, layers: []layer{null(10, le32)}},
		{name: "NULL, big endian", link: 0, layers: []layer{null(30, be32)}},
		{name: "LOOP", link: 108, layers: []layer{null(24, be32)}},
		{name: "SLL", link: 113, layers: []layer{cooked}},
		{name: "SLL with a tag", link: 113, layers: []layer{tagged(0x8100, 42), cooked}},
		{name: "SLL2", link: 276, layers: []layer{cooked2}},
		{name: "SLL2 with a tag", link: 276, layers: []layer{tagged(0x8100, 42), cooked2}},
		{name: "PPP", link: 9, layers: []layer{ppp}},
		{name: "PPP with address and control", link: 9, layers: []layer{ppp, always(0xff, 3)}},
		{name: "PPP, protocol in one byte", link: 9, layers: []layer{head(func(p pdu) []byte { return []byte{byte(p.pppProtocol())} })}},
		{name: "PPP_HDLC", link: 50, layers: []layer{ppp, always(0xff, 3)}},
		{name: "PPP_HDLC, Cisco's", link: 50, layers: []layer{head(func(p pdu) []byte { return be16(int(p.kind)) }), always(0x0f, 0)}},
		{name: "PPPoE link", link: 51, layers: []layer{pppoe}},
		{name: "PPPoE on Ethernet", link: 1, layers: []layer{pppoe, ether}},
		{name: "PPPoE in a VLAN", link: 1, layers: []layer{pppoe, tagged(0x8100, 7), ether}},
		{name: "C_HDLC", link: 104, layers: []layer{head(func(p pdu) []byte { return be16(int(p.kind)) }), always(0x0f, 0)}},
		{name: "C_HDLC, broadcast", link: 104, layers: []layer{head(func(p pdu) []byte { return be16(int(p.kind)) }), always(0x8f, 0)}},
		{name: "PFLOG of 61 bytes", link: 117, layers: []layer{pflog(61, 24)}},
		{name: "PFLOG of FreeBSD", link: 117, layers: []layer{pflog(69, 28)}},
		{name: "PFLOG of macOS", link: 117, layers: []layer{pflog(61, 30)}},
		{name: "PFLOG of OpenBSD", link: 117, layers: []layer{pflog(100, 24)}},
		{name: "PKTAP, Ethernet", link: 258, layers: []layer{ether, pktap(1, "en0")}},
		{name: "PKTAP, raw", link: 258, layers: []layer{pktap(12, "utun2")}},
		{name: "PKTAP, loopback", link: 258, layers: []layer{null(30, le32), pktap(0, "lo0")}},
		{name: "PKTAP under its first number", link: 149, layers: []layer{ether, pktap(1, "en0")}},
		{name: "NFLOG", link: 239, layers: []layer{nflog}},
	}
	for _, w := range []wrapping{
		{name: "ad hoc", layers: []layer{wifi(0, nil, 0)}},
		{name: "to the access point", layers: []layer{wifi(toDS, nil, 0)}},
		{name: "from the access point", layers: []layer{wifi(fromDS, nil, 0)}},
		{name: "between access points", layers: []layer{wifi(toDS|fromDS, nil, 0)}},
		{name: "QoS", layers: []layer{wifi(toDS, qos, 0)}},
		{name: "QoS, repeated", layers: []layer{wifi(toDS|retried, qos, 0)}},
		{name: "QoS with HT control", layers: []layer{wifi(fromDS|htControl, qos, 0)}},
		{name: "QoS between access points", layers: []layer{wifi(toDS|fromDS, qos, 0)}},
	} {
		with := func(name string, link uint16, header layer) {
			all = append(all, wrapping{name: name + ", " + w.name, link: link, layers: append(slices.Clone(w.layers), header)})
		}
		all = append(all, wrapping{name: "802.11, " + w.name, link: 105, layers: w.layers})
		with("radiotap", 127, radiotap(nil, 0))
		if strings.HasPrefix(w.name, "QoS") {
			with("prism", 119, prism(binary.LittleEndian))
			with("AVS", 163, avs)
		}
	}
	return append(all, radiotaps()...)
}

// radiotaps are radiotap headers that say something of the frame's length.
func radiotaps() []wrapping {
	plain, padded := wifi(toDS, []byte{0, 0}, 0), wifi(toDS, []byte{0, 0}, 2)
	stamp := make([]byte, 8)
	fields := func(flags byte) []byte { return slices.Concat(stamp, []byte{flags, 12}, le16(2412), le16(0xa0)) }
	const usual = hasTime | hasFlags | hasRate | hasChannel
	return []wrapping{
		{name: "radiotap with the usual fields", link: 127, layers: []layer{plain, radiotap(fields(0), usual)}},
		{name: "radiotap, check sequence", link: 127, tail: 4, layers: []layer{plain, radiotap(fields(flagFCS), usual)}},
		{name: "radiotap, padding", link: 127, layers: []layer{padded, radiotap(fields(flagPadding), usual)}},
		{name: "radiotap, both", link: 127, tail: 4, layers: []layer{padded, radiotap(fields(flagFCS|flagPadding), usual)}},
		{
			name: "radiotap with two words: the time is aligned behind them", link: 127, tail: 4,
			layers: []layer{padded, radiotap(append(slices.Concat(make([]byte, 4), fields(flagFCS|flagPadding)), 1), usual|nextWord, hasAntenna)},
		},
		{
			name: "radiotap with three words", link: 127, tail: 4,
			layers: []layer{padded, radiotap(append(fields(flagFCS|flagPadding), 1, 2), usual|nextWord, hasAntenna|nextWord, hasAntenna)},
		},
		{
			name: "radiotap with a vendor's fields", link: 127, tail: 4,
			layers: []layer{plain, radiotap(slices.Concat([]byte{flagFCS, 0, 0, 0x11, 0x22, 0, 3, 0}, []byte{9, 9, 9}), hasFlags|nextVendor)},
		},
		{name: "prism, big endian", link: 119, layers: []layer{plain, prism(binary.BigEndian)}},
		{name: "AVS under the number of prism", link: 119, layers: []layer{plain, avs}},
	}
}

func TestScanInEveryLink(t *testing.T) {
	if testing.Short() {
		t.Skip("is on one goroutine: minutes with the race detector")
	}
	t.Parallel()
	for _, w := range links() {
		t.Run(w.name, w.foundInAll)
	}
}
