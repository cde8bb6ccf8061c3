package bpf

import (
	"encoding/binary"
	"math/bits"

	"golang.org/x/sys/unix"
)

// bloom is the memory of the Bloom filter, which the program and this process share: of
// each cell a word for the even generations and one for the odd.
type bloom struct {
	cells []byte
	looks int // where the next look begins
}

func mapBloom(fd int, cells uint32) (*bloom, error) {
	b, err := unix.Mmap(fd, 0, int(cells)*cellBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &bloom{cells: b}, nil
}

// clear empties a generation.
func (b *bloom) clear(generation uint32) {
	for at := int(generation&1) * 8; at < len(b.cells); at += cellBytes {
		// read first, so that pages never used stay so
		if word := b.cells[at : at+8]; binary.NativeEndian.Uint64(word) != 0 {
			binary.NativeEndian.PutUint64(word, 0)
		}
	}
}

// looked is how many cells a look takes in.
const looked = 4096

// load estimates which share of a generation's bits is set, by some of the cells, other
// ones each time.
func (b *bloom) load(generation uint32) float64 {
	set, n := 0, min(looked, len(b.cells)/cellBytes)
	for range n {
		at := b.looks*cellBytes + int(generation&1)*8
		set += bits.OnesCount64(binary.NativeEndian.Uint64(b.cells[at:]))
		b.looks = (b.looks + 1) % (len(b.cells) / cellBytes)
	}
	return float64(set) / float64(64*n)
}

func (b *bloom) close() error { return unix.Munmap(b.cells) }
