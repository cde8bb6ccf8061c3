package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// benchFile is one input of the benchmarks.
type benchFile struct {
	name    string
	packets int // by default
	snap    int
	syns    float64 // share of scanners' SYNs among all packets
}

// The two mixes hold the same packets, cut differently.
var benchFiles = []benchFile{
	{"mix-680.pcap", 1_000_000, 65535, 0},
	{"mix-128.pcap", 2_000_000, 128, 0},
	{"scan-heavy.pcap", 2_000_000, 128, 0.4},
}

// writeBench writes the inputs of the benchmarks to dir, with packets each if
// that is not 0.
func writeBench(dir string, packets int) error {
	for _, b := range benchFiles {
		if packets > 0 {
			b.packets = packets
		}
		if err := b.write(filepath.Join(dir, b.name)); err != nil {
			return fmt.Errorf("write %s: %w", b.name, err)
		}
	}
	return nil
}

func (b benchFile) write(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	w := &benchWriter{
		out: bufio.NewWriterSize(f, 1<<20), snap: b.snap, left: b.packets, now: epoch, syns: b.syns,
		rnd: rand.New(rand.NewPCG(680, 128)),
	}
	if b.syns > 0 {
		w.scanners = newScanners()
	}
	w.write(wire.Pcap{}.Begin(nil, uint32(b.snap), linkEthernet))
	newMix(w).run()
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}

// benchWriter writes records until left is 0; the first error stays.
type benchWriter struct {
	out      *bufio.Writer
	snap     int
	left     int
	now      int64
	rnd      *rand.Rand
	syns     float64
	scanners *scanners
	err      error
	record   []byte
}

// noBytes is the payload of every packet, longer than any.
var noBytes [2048]byte

func (w *benchWriter) write(b []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(b)
	}
}

// emit writes a packet of head and n zeros, after as many SYNs of scanners as
// their share asks for.
func (w *benchWriter) emit(head []byte, n int) {
	for w.syns > 0 && w.left > 0 && w.rnd.Float64() < w.syns {
		w.put(w.scanners.next(), 0)
	}
	w.put(head, n)
}

func (w *benchWriter) put(head []byte, n int) {
	if w.left == 0 {
		return
	}
	w.left--
	w.now += 2_000
	n = max(n, 60-len(head))
	size := len(head) + n
	kept := min(size, w.snap)
	w.record = wire.Pcap{}.Record(w.record[:0], w.now, kept, size)
	w.write(w.record)
	w.write(head[:min(len(head), kept)])
	if kept > len(head) {
		w.write(noBytes[:kept-len(head)])
	}
}
