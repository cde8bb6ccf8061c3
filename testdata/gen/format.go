package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// frame is one captured packet: Ethernet, complete.
type frame struct {
	time int64 // ns since 1970
	data []byte
	// counter is the host whose one IP identification counter numbers its
	// packets in the order they leave; nil where the number is set already.
	counter *host
}

// The link types written.
const (
	linkEthernet = 1
	linkRaw      = 101
	linkSLL2     = 276
)

// format says how a trace is stored.
type format struct {
	ng     bool   // pcapng; else pcap
	nanos  bool   // pcap: nanosecond time stamps
	big    bool   // pcap: big-endian
	link   uint16 // 0: Ethernet
	vlan   uint16 // 0: untagged
	snap   int    // bytes kept of a frame; 0: 96
	packer string // "", "gz", "zst", "lz4"
}

func (f format) snaplen() int {
	if f.snap == 0 {
		return 96
	}
	return f.snap
}

func (f format) linktype() uint16 {
	if f.link == 0 {
		return linkEthernet
	}
	return f.link
}

// name is the file name of a capture called base.
func (f format) name(base string) string {
	ext := ".pcap"
	if f.ng {
		ext = ".pcapng"
	}
	if f.packer != "" {
		ext += "." + f.packer
	}
	return base + ext
}

// encode stores frames, which are in order of time.
func (f format) encode(frames []frame) ([]byte, error) {
	var b []byte
	if f.ng {
		b = f.pcapng(frames)
	} else {
		b = f.pcap(frames)
	}
	return pack(b, f.packer)
}

func (f format) pcap(frames []frame) []byte {
	p := wire.Pcap{BigEndian: f.big, Nanos: f.nanos}
	b := p.Begin(nil, uint32(f.snaplen()), uint32(f.linktype()))
	for _, fr := range frames {
		data := f.relink(fr.data)
		kept := data[:min(len(data), f.snaplen())]
		b = append(p.Record(b, fr.time, len(kept), len(data)), kept...)
	}
	return b
}

// pcapng writes one section with one interface of nanosecond resolution.
func (f format) pcapng(frames []frame) []byte {
	app := "synoptic testdata generator"
	body := put32(nil, 0x1a2b3c4d)
	body = put16(put16(body, 1), 0)
	body = append(put32(body, 0xffffffff, 0xffffffff), option(4, []byte(app))...)
	b := block(nil, 0x0a0d0d0a, append(body, option(0, nil)...))
	body = put32(put16(put16(nil, f.linktype()), 0), uint32(f.snaplen()))
	body = append(body, option(2, []byte("span0"))...)
	body = append(body, option(9, []byte{9})...)
	b = block(b, 1, append(body, option(0, nil)...))
	for _, fr := range frames {
		data := f.relink(fr.data)
		kept := data[:min(len(data), f.snaplen())]
		body = put32(nil, 0, uint32(fr.time>>32), uint32(fr.time), uint32(len(kept)), uint32(len(data)))
		b = block(b, 6, pad4(append(body, kept...)))
	}
	return b
}

func block(b []byte, kind uint32, body []byte) []byte {
	n := uint32(len(body) + 12)
	b = append(put32(b, kind, n), body...)
	return put32(b, n)
}

func option(code uint16, value []byte) []byte {
	b := put16(put16(nil, code), uint16(len(value)))
	return pad4(append(b, value...))
}

func pad4(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func put16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }

func put32(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// relink turns an Ethernet frame into one of the format's link type.
func (f format) relink(data []byte) []byte {
	var out []byte
	switch f.linktype() {
	case linkRaw:
		return wire.Packet(data)
	case linkSLL2:
		kind := byte(3) // to someone else: a mirror port
		if data[0]&1 != 0 {
			kind = 1 // broadcast
		}
		out = append(out, data[12], data[13], 0, 0, 0, 0, 0, 3, 0, 1, kind, 6)
		out = append(out, data[6:12]...)
		out = append(out, 0, 0)
		return append(out, data[14:]...)
	}
	if f.vlan == 0 {
		return data
	}
	out = append(out, data[:12]...)
	out = append(out, 0x81, 0, byte(f.vlan>>8), byte(f.vlan))
	return append(out, data[12:]...)
}

// pack compresses b by the named method.
func pack(b []byte, method string) ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser
	switch method {
	case "":
		return b, nil
	case "gz":
		w = gzip.NewWriter(&buf)
	case "zst":
		enc, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("start zstd: %w", err)
		}
		w = enc
	case "lz4":
		enc := lz4.NewWriter(&buf)
		if err := enc.Apply(lz4.ConcurrencyOption(1)); err != nil {
			return nil, fmt.Errorf("start lz4: %w", err)
		}
		w = enc
	default:
		return nil, fmt.Errorf("no compression %q", method)
	}
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return buf.Bytes(), nil
}
