package capture

import (
	"errors"
	"io"
	"math"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gopacket"
)

// FromGopacket makes a [Source] of any gopacket source: libpcap, afpacket,
// pcapgo. Packets have the given LINKTYPE number unless the source puts a
// layers.LinkType first into AncillaryData, as pcapgo's NgReader does for mixed
// link types. Since zero-copy data lasts only until the next packet, every Read
// brings one frame; the batches of [Open] are faster.
//
// Errors of s are passed on as they are, timeouts included, and do not end the
// source. Close closes s if it has a Close method, and wakes Read as far as that
// does. Stats counts packets and bytes only.
func FromGopacket(s gopacket.ZeroCopyPacketDataSource, link uint16) Source {
	return &fromGopacket{source: s, link: link, ids: make(map[gopacketIface]uint32)}
}

// gopacketIface tells interfaces apart. A section of a pcapng file may give the
// same index to an interface of another link type.
type gopacketIface struct {
	index int
	link  uint16
}

type fromGopacket struct {
	source gopacket.ZeroCopyPacketDataSource
	link   uint16
	ids    map[gopacketIface]uint32
	reg    registry

	packets, bytes atomic.Uint64
	closed         atomic.Bool
	once           sync.Once
	closeErr       error
}

// linkOf tells whether a value is a layers.LinkType. It goes by name: package
// layers takes 6 MiB and ten milliseconds to initialise, in every program that imports it.
func linkOf(v any) (uint16, bool) {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Uint8 || t.Name() != "LinkType" {
		return 0, false
	}
	return uint16(reflect.ValueOf(v).Uint()), true
}

// Read implements Source.
func (f *fromGopacket) Read(fs []Frame) (int, error) {
	if f.closed.Load() {
		return 0, os.ErrClosed
	}
	if len(fs) == 0 {
		return 0, nil
	}
	data, info, err := f.source.ZeroCopyReadPacketData()
	if err != nil {
		if f.closed.Load() {
			err = os.ErrClosed
		}
		return 0, err
	}
	id, ok := f.iface(info)
	if !ok {
		return 0, tooManyIfaces()
	}
	fs[0] = Frame{
		Data:  data,
		Time:  info.Timestamp.UnixNano(),
		Len:   uint32(min(max(int64(info.Length), 0), math.MaxUint32)),
		Iface: id,
	}
	f.packets.Add(1)
	f.bytes.Add(uint64(len(data)))
	return 1, nil
}

func (f *fromGopacket) iface(info gopacket.CaptureInfo) (uint32, bool) {
	key := gopacketIface{info.InterfaceIndex, f.link}
	if len(info.AncillaryData) > 0 {
		if link, ok := linkOf(info.AncillaryData[0]); ok {
			key.link = link
		}
	}
	if id, ok := f.ids[key]; ok {
		return id, true
	}
	id, ok := f.reg.id(ifaceKey{link: key.link, nth: key.index})
	if ok {
		f.ids[key] = id
	}
	return id, ok
}

// Link implements Source.
func (f *fromGopacket) Link(iface uint32) uint16 { return f.reg.link(iface) }

// Stats implements Source.
func (f *fromGopacket) Stats() (Stats, error) {
	return Stats{Packets: f.packets.Load(), Bytes: f.bytes.Load()}, nil
}

// Close implements Source.
func (f *fromGopacket) Close() error {
	f.once.Do(func() {
		f.closed.Store(true)
		switch c := f.source.(type) {
		case io.Closer:
			f.closeErr = c.Close()
		case interface{ Close() }: // pcap.Handle, afpacket.TPacket
			c.Close()
		}
	})
	return f.closeErr
}

// ToGopacket makes a gopacket source of s. It also implements
// gopacket.PacketDataSource, which copies, so that it may be handed to
// gopacket.NewPacketSource. It takes over s: nothing else may read from it, and
// packets of one batch are handed out one by one. InterfaceIndex is the number
// of the interface, for Link of s; [*Idle] is swallowed, other errors of s are
// passed on, after the frames they came with.
func ToGopacket(s Source) gopacket.ZeroCopyPacketDataSource {
	return &toGopacket{source: s, batch: make([]Frame, toGopacketBatch)}
}

const toGopacketBatch = 64

type toGopacket struct {
	source     Source
	batch      []Frame
	next, have int
	err        error
}

// ZeroCopyReadPacketData implements gopacket.ZeroCopyPacketDataSource.
func (t *toGopacket) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	for t.next == t.have {
		if err := t.err; err != nil {
			t.err = nil
			return nil, gopacket.CaptureInfo{}, err
		}
		t.next = 0
		t.have, t.err = t.source.Read(t.batch)
		if _, ok := errors.AsType[*Idle](t.err); ok {
			t.err = nil
		}
	}
	f := &t.batch[t.next]
	t.next++
	return f.Data, gopacket.CaptureInfo{
		Timestamp:     time.Unix(0, f.Time).UTC(),
		CaptureLength: len(f.Data),
		// gopacket's writers refuse a packet shorter than what was captured.
		Length:         max(int(f.Len), len(f.Data)),
		InterfaceIndex: int(f.Iface),
	}, nil
}

// ReadPacketData implements gopacket.PacketDataSource.
func (t *toGopacket) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	data, info, err := t.ZeroCopyReadPacketData()
	if err != nil {
		return nil, info, err
	}
	return append([]byte(nil), data...), info, nil
}
