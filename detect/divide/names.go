package divide

import (
	"encoding/binary"
	"math/bits"
)

// names numbers up to as many different addresses as there are tries, in the order in which they come.
type names struct {
	keys  keys
	index [2 * tries]uint16 // number + 1, by hash
	list  [][16]byte
}

func (n *names) clear() {
	clear(n.index[:])
	n.list = n.list[:0]
}

// number is that of an address, the next one if it is new.
func (n *names) number(a *[16]byte) int {
	for i := n.keys.hash(a, 0); ; i++ {
		place := &n.index[i%uint64(len(n.index))]
		if *place == 0 {
			n.list = append(n.list, *a)
			*place = uint16(len(n.list))
		}
		if n.list[*place-1] == *a {
			return int(*place) - 1
		}
	}
}

// keys make hashes unknown to whoever chooses the addresses.
type keys [3]uint64

// newKeys draws them from a seed; of 0 they are fixed.
func newKeys(seed uint64) keys {
	k := keys{0x9e3779b97f4a7c15, 0x243f6a8885a308d3, 0x13198a2e03707345}
	for i := range k {
		hi, lo := bits.Mul64(seed^k[i], 0xb7e151628aed2a6b)
		if seed != 0 {
			k[i] = hi ^ lo
		}
	}
	return k
}

// hash is that of an address and of what else is given.
func (k *keys) hash(a *[16]byte, more uint64) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(a[8:])^k[0], binary.LittleEndian.Uint64(a[:8])^k[1])
	hi, lo = bits.Mul64(hi^lo^more^k[2], 0xb7e151628aed2a6b)
	return hi ^ lo
}
