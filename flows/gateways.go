package flows

import (
	"encoding/binary"
	"slices"
)

// gatewayAddresses is how many addresses beside the asking one a link address
// must have carried to be taken for a gateway's.
const gatewayAddresses = 3

// carried is what is known of one link address.
type carried struct {
	tag   uint64 // of the link address and the IP version; 0: free
	turn  uint64 // when it was last noted, in notes
	addrs [gatewayAddresses + 1]uint64
	n     uint8
}

// gateways remembers which IP addresses a link address has carried in productive
// conversations: of IPv4 the address, of IPv6, where each host has several, the
// /64. Full buckets lose the link address that was noted longest ago.
type gateways struct {
	keys    keys
	turn    uint64
	buckets [][ways]carried
}

func newGateways(k keys, bound int) gateways {
	return gateways{keys: k, buckets: resident[[ways]carried](bound / ways)}
}

// place is where an address belongs, and what of it is compared.
func (g *gateways) place(mac *[6]byte, addr *[16]byte) (b *[ways]carried, tag, value uint64) {
	tag = uint64(binary.BigEndian.Uint32(mac[:4]))<<16 | uint64(binary.BigEndian.Uint16(mac[4:]))
	value = binary.BigEndian.Uint64(addr[:8])
	tag |= 1 << 48
	if IsIPv4(addr) {
		tag |= 1 << 49
		value = binary.BigEndian.Uint64(addr[8:])
	}
	return &g.buckets[mix(tag^g.keys[0], g.keys[1])&uint64(len(g.buckets)-1)], tag, value
}

// note remembers that a link address carried an IP address.
func (g *gateways) note(mac *[6]byte, addr *[16]byte) {
	if *mac == [6]byte{} {
		return
	}
	b, tag, value := g.place(mac, addr)
	c := &b[0]
	for i := range b {
		if b[i].tag == tag {
			c = &b[i]
			break
		}
		if b[i].turn < c.turn {
			c = &b[i]
		}
	}
	if c.tag != tag {
		*c = carried{tag: tag}
	}
	g.turn++
	c.turn = g.turn
	if slices.Contains(c.addrs[:c.n], value) {
		return
	}
	if int(c.n) < len(c.addrs) {
		c.addrs[c.n] = value
		c.n++
	}
}

// is reports whether a link address has carried enough addresses other than
// the one that it now carries.
func (g *gateways) is(mac *[6]byte, addr *[16]byte) bool {
	b, tag, value := g.place(mac, addr)
	for i := range b {
		if b[i].tag != tag {
			continue
		}
		others := 0
		for _, v := range b[i].addrs[:b[i].n] {
			if v != value {
				others++
			}
		}
		return others >= gatewayAddresses
	}
	return false
}
