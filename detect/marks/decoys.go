package marks

import "encoding/binary"

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
	var b [31]byte
	copy(b[:16], p.Dst[:])
	binary.BigEndian.PutUint16(b[16:], p.DstPort)
	binary.BigEndian.PutUint16(b[18:], p.SrcPort)
	binary.BigEndian.PutUint16(b[20:], p.IPID)
	binary.BigEndian.PutUint32(b[22:], p.Seq)
	binary.BigEndian.PutUint32(b[26:], p.Ack)
	b[30] = p.Proto
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
