package marks

import (
	"encoding/binary"
	"math/bits"
)

// Decoys reports whether two probes are one probe of nmap -D sent under two
// sources: to the same port of the same host by the same protocol, with the
// same ip.id, source port and sequence number. nmap draws those once for all
// copies, and a TTL for each. By chance it happens to one pair of TCP in 2^64
// (IPv6, without ip.id: 2^48), of ICMP in 2^48, of UDP in 2^32.
//
// One pair proves nothing, four between the same two sources do. Programs that
// spoof floods draw their numbers badly: in a recorded one 181 pairs of sources
// had a SYN in common, though none two. Of UDP, where both use the customary
// port, one pair in 2^16 agrees. Numbers that are 0 for everybody never count:
// ip.id with other protocols than TCP, seq and ack together with TCP.
//
// The same packet captured on both sides of an address translator looks alike
// where that keeps the source port; but then the difference of the TTLs is the
// same for all pairs, and the pairs include the productive connections.
func Decoys(a, b *Probe) bool {
	if a.Truncated || b.Truncated || !a.unmistakable() {
		return false
	}
	return a.Src != b.Src && a.Dst == b.Dst && a.DstPort == b.DstPort && a.Proto == b.Proto &&
		a.IPID == b.IPID && a.SrcPort == b.SrcPort && a.Seq == b.Seq && a.Ack == b.Ack
}

// unmistakable reports whether the probe has a number of its own to be compared.
func (p *Probe) unmistakable() bool {
	if p.Proto == protoTCP {
		return p.Seq != 0 || p.Ack != 0
	}
	return p.IPID != 0
}

// DecoyKey is the same for probes that [Decoys] joins, and by chance for one
// pair of others in 2^64: what to look decoys up by.
func (p *Probe) DecoyKey() uint64 {
	h := uint64(p.DstPort)<<48 | uint64(p.SrcPort)<<32 | uint64(p.IPID)<<16 | uint64(p.Proto)
	return mixed(&p.Dst, h^bits.RotateLeft64(uint64(p.Seq)<<32|uint64(p.Ack), 8)*0x9e3779b97f4a7c15)
}

// mixed is a hash of an address and 64 bits more.
func mixed(a *[16]byte, more uint64) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(a[8:])^0x9e3779b97f4a7c15, binary.LittleEndian.Uint64(a[:8])^0x243f6a8885a308d3)
	hi, lo = bits.Mul64(hi^lo^more^0x13198a2e03707345, 0xb7e151628aed2a6b)
	return hi ^ lo
}
