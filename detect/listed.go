package detect

import (
	"encoding/binary"
	"net/netip"

	"github.com/synoptic-ids/synoptic/flows"
)

const (
	// listedShare is one in how many hosts of a list must be in use. Of addresses chosen
	// at random, one in sixty serves the web, and far fewer anything else.
	listedShare = 6
	// listedLeast is how many that are, at least.
	listedLeast = 3
	// listedLooks bounds how many attempts are looked at.
	listedLooks = 1024
)

// list is reused from one question to the next: hosts that failed, by no more than
// that, hosts that were of use, and the networks of those that failed.
type list struct {
	failed, worked map[[16]byte]struct{}
	networks       map[uint32]struct{}
}

func newList() list {
	return list{map[[16]byte]struct{}{}, map[[16]byte]struct{}{}, map[uint32]struct{}{}}
}

// listed reports whether what a source tried on the port of a probe comes from a list of
// hosts all over the Internet, as the nodes of peer-to-peer networks and players' lists of
// servers do: those that failed lie in networks far apart, and not a few others were of
// use. Who tries the addresses of a network one after the other finds them close together,
// and who tries any, next to none of use.
func (e *Engine) listed(s *source, pr *probe) bool {
	if pr.crafted || pr.class != flows.ClassTCP && pr.class != flows.ClassUDP {
		return false
	}
	clear(e.list.failed)
	clear(e.list.worked)
	clear(e.list.networks)
	pos := s.newest
	for range listedLooks {
		a := e.past.at(pos)
		if a == nil {
			break
		}
		pos = a.prev
		if a.port != pr.port || a.class != pr.class {
			continue
		}
		switch {
		case a.outcome == flows.Productive:
			e.list.worked[a.responder] = struct{}{}
		case a.material():
			if a.crafted || e.home.has(&a.responder) {
				return false
			}
			e.list.failed[a.responder] = struct{}{}
			e.list.networks[networkOf(&a.responder)] = struct{}{}
		}
	}
	failed, worked := len(e.list.failed), len(e.list.worked)
	return worked >= listedLeast && listedShare*worked >= failed+worked && 4*len(e.list.networks) >= 3*failed
}

// NetworkOf is the network of an address that rules mean by dst_net: the /16 that an IPv4
// address lies in, the /32 of an IPv6 address. Any goroutine may call it.
func NetworkOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a = a.Unmap(); a.Is4() {
		bits = 16
	}
	p, _ := a.Prefix(bits) // which fails only for no address
	return p
}

// networkOf is the network of a size that one owner has: a /16, or a /32 of IPv6.
func networkOf(a *[16]byte) uint32 {
	if flows.IsIPv4(a) {
		return uint32(binary.BigEndian.Uint16(a[12:]))
	}
	return binary.BigEndian.Uint32(a[:])
}
