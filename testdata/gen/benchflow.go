package main

import (
	"encoding/binary"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// template holds the headers of one conversation, both ways, ready but for
// what changes from packet to packet.
type template struct {
	head   [2][98]byte
	l3, l4 int
	v6     bool
	seq    [2]uint32
	ident  [2]uint16
}

// endpoint is one side of a conversation.
type endpoint struct {
	addr [16]byte // IPv4: the first four bytes
	port uint16
	ttl  uint8
}

// newTemplate makes the headers; vlan 0 is untagged.
func newTemplate(a, b endpoint, v6 bool, vlan uint16, proto uint8) template {
	t := template{v6: v6, l3: 14}
	if vlan != 0 {
		t.l3 = 18
	}
	t.l4 = t.l3 + 20
	if v6 {
		t.l4 = t.l3 + 40
	}
	for dir, ends := range [2][2]endpoint{{a, b}, {b, a}} {
		h := t.head[dir][:]
		copy(h[0:], firewallMAC[:])
		copy(h[6:], routerMAC[:])
		if dir == 1 {
			copy(h[0:], routerMAC[:])
			copy(h[6:], firewallMAC[:])
		}
		if vlan != 0 {
			binary.BigEndian.PutUint16(h[12:], 0x8100)
			binary.BigEndian.PutUint16(h[14:], vlan)
		}
		ip := h[t.l3:]
		if v6 {
			binary.BigEndian.PutUint16(h[t.l3-2:], 0x86dd)
			ip[0], ip[6], ip[7] = 0x60, proto, ends[0].ttl
			copy(ip[8:], ends[0].addr[:])
			copy(ip[24:], ends[1].addr[:])
		} else {
			binary.BigEndian.PutUint16(h[t.l3-2:], 0x0800)
			ip[0], ip[6], ip[8], ip[9] = 0x45, 0x40, ends[0].ttl, proto
			copy(ip[12:16], ends[0].addr[:])
			copy(ip[16:20], ends[1].addr[:])
		}
		binary.BigEndian.PutUint16(h[t.l4:], ends[0].port)
		binary.BigEndian.PutUint16(h[t.l4+2:], ends[1].port)
	}
	return t
}

// seal sets lengths, identification and checksums of a packet whose transport
// header, with the payload bytes that are not 0, is n bytes long and whose
// transport length is size; the checksum is at sum.
func (t *template) seal(dir, n, size, sum int) []byte {
	h := t.head[dir][:t.l4+n]
	ip, l4 := h[t.l3:], h[t.l4:]
	if t.v6 {
		binary.BigEndian.PutUint16(ip[4:], uint16(size))
	} else {
		t.ident[dir]++
		binary.BigEndian.PutUint16(ip[2:], uint16(20+size))
		binary.BigEndian.PutUint16(ip[4:], t.ident[dir])
		wire.SumIPv4(ip)
	}
	l4[sum], l4[sum+1] = 0, 0
	binary.BigEndian.PutUint16(l4[sum:], t.checksum(ip, l4, size))
	return h
}

// checksum is the transport's. ICMP alone has no pseudo-header.
func (t *template) checksum(ip, l4 []byte, size int) uint16 {
	var s uint32
	add := func(b []byte) {
		for ; len(b) >= 2; b = b[2:] {
			s += uint32(b[0])<<8 | uint32(b[1])
		}
	}
	switch {
	case t.v6:
		add(ip[8:40])
		s += uint32(ip[6]) + uint32(size)
	case ip[9] != 1:
		add(ip[12:20])
		s += uint32(ip[9]) + uint32(size)
	}
	add(l4)
	s = s&0xffff + s>>16
	return ^uint16(s&0xffff + s>>16)
}

// The options of the benchmark's stacks: Linux.
var synChoice = []byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7}

// tcp makes a segment with n zeros of payload and moves the sequence number.
func (t *template) tcp(dir int, flags uint8, n int, clock uint32) []byte {
	l4 := t.head[dir][t.l4:]
	binary.BigEndian.PutUint32(l4[4:], t.seq[dir])
	binary.BigEndian.PutUint32(l4[8:], 0)
	if flags&ack != 0 {
		binary.BigEndian.PutUint32(l4[8:], t.seq[1-dir])
	}
	length, window, stamp := 32, uint16(502), l4[24:]
	switch {
	case flags&syn != 0:
		length, window, stamp = 40, 64240, l4[28:]
		copy(l4[20:], synChoice)
	case flags&rst != 0:
		length, window, stamp = 20, 0, nil
	default:
		copy(l4[20:], []byte{1, 1, 8, 10})
	}
	if stamp != nil {
		binary.BigEndian.PutUint32(stamp, clock+uint32(dir)*7919)
		echo := clock + uint32(1-dir)*7919
		if flags == syn {
			echo = 0
		}
		binary.BigEndian.PutUint32(stamp[4:], echo)
	}
	l4[12], l4[13] = byte(length/4<<4), flags
	binary.BigEndian.PutUint16(l4[14:], window)
	t.seq[dir] += uint32(n)
	if flags&(syn|fin) != 0 {
		t.seq[dir]++
	}
	return t.seal(dir, length, length+n, 16)
}

// udp makes a datagram of n bytes, of which start are the first.
func (t *template) udp(dir int, start []byte, n int) []byte {
	l4 := t.head[dir][t.l4:]
	binary.BigEndian.PutUint16(l4[4:], uint16(8+n))
	copy(l4[8:], start)
	return t.seal(dir, 8+len(start), 8+n, 6)
}

// echo makes an ICMP echo request (0) or reply (1) with 56 zeros.
func (t *template) echo(dir int, id, seq uint16) []byte {
	l4 := t.head[dir][t.l4:]
	l4[0], l4[1] = byte(8-8*dir), 0
	if t.v6 {
		l4[0] = byte(128 + dir)
	}
	binary.BigEndian.PutUint16(l4[4:], id)
	binary.BigEndian.PutUint16(l4[6:], seq)
	return t.seal(dir, 8, 64, 2)
}
