package capture

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	mostBlock  = 1 << 20
	leastBlock = 1 << 14
	fewBlocks  = 16 // a buffer has as many at least
	frameUnit  = 2048
	// retire is how long the system fills a block that has packets, in ms: how
	// long a packet on a quiet line waits.
	retire = 40
	// late is how long after a block was filled there may be others with packets
	// as old, not filled yet.
	late = 2 * retire * time.Millisecond
	// reserved is room in front of a frame, for the VLAN tag.
	reserved = tagSize
)

// ring is a socket and the ring of blocks in which the system puts its packets.
type ring struct {
	fd     int
	device *device
	iface  uint32
	mem    *mapping
	block  int // size in bytes
	blocks int
	at     int // block that is read, or is next

	cur   blockReader
	held  bool      // block at is ours
	taken time.Time // since when
	head  Frame     // first frame of it that was not handed out; of several rings only
	has   bool      // there is one

	// As the lock of the source has them: packets that came, whatever became of them, and
	// those of them that were lost.
	came, dropped uint64
	handed        atomic.Uint64 // packets handed out
	skipped       atomic.Uint64 // blocks that made no sense
}

// newRing makes a socket with a ring, to which nothing comes before [ring.bind].
func newRing(d *device, iface uint32, cfg DeviceConfig, thin Thinner) (*ring, error) {
	// Protocol 0: no packet comes before all is set, or past the filter.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	r := &ring{fd: fd, device: d, iface: iface}
	if err := r.set(cfg, thin); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	r.cur.how = framing{link: d.link, snap: cfg.SnapLen}
	return r, nil
}

func (r *ring) set(cfg DeviceConfig, thin Thinner) error {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("asking for a ring of version 3: %w", err)
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, reserved); err != nil {
		return fmt.Errorf("asking for room for VLAN tags: %w", err)
	}
	if err := r.sieve(cfg, thin); err != nil {
		return err
	}
	return r.allocate(cfg.Buffer/cfg.Sockets, cfg.SnapLen)
}

// sieve sets what packets are dropped and cut by.
func (r *ring) sieve(cfg DeviceConfig, thin Thinner) error {
	if thin != nil && r.device.hatype == hatypeEther {
		return thin.Attach(r.fd)
	}
	code, err := cfg.program(r.device.link, r.device.hatype)
	if err != nil {
		return err
	}
	if err := attach(r.fd, code); err != nil {
		return fmt.Errorf("setting the filter: %w", err)
	}
	return nil
}

func attach(fd int, code []bpf.RawInstruction) error {
	own := make([]unix.SockFilter, len(code))
	for i, in := range code {
		own[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(own)), Filter: &own[0]})
}

// allocate makes a ring of about size bytes, in blocks that hold a whole frame.
func (r *ring) allocate(size, snap int) error {
	r.block = leastBlock
	for r.block < mostBlock && r.block*fewBlocks < size || r.block < 2*snap {
		r.block *= 2
	}
	r.blocks = max(size/r.block, 2)
	request := unix.TpacketReq3{
		Block_size: uint32(r.block), Block_nr: uint32(r.blocks),
		Frame_size: frameUnit, Frame_nr: uint32(r.block / frameUnit * r.blocks),
		Retire_blk_tov: retire,
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return fmt.Errorf("making a ring of %d blocks of %d bytes: %w", r.blocks, r.block, err)
	}
	data, err := unix.Mmap(r.fd, 0, r.block*r.blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping a ring of %d bytes: %w", r.block*r.blocks, err)
	}
	r.mem = &mapping{data: data}
	return nil
}

// bind lets packets of the device come.
func (r *ring) bind(promiscuous bool) error {
	address := unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: r.device.index}
	if promiscuous && r.device.index > 0 {
		m := unix.PacketMreq{Ifindex: int32(r.device.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return fmt.Errorf("asking for promiscuous mode: %w", err)
		}
	}
	if err := unix.Bind(r.fd, &address); err != nil {
		return fmt.Errorf("binding to the device: %w", err)
	}
	return nil
}

func bigEndian(n uint16) uint16 { return n<<8 | n>>8 }

// newGroup stands for a group that is yet to be made. 0 is a group like others.
const newGroup = -1

// join makes the socket one of a group among which the system divides packets. It
// returns the group's number.
func (r *ring) join(group int) (int, error) {
	arg := unix.PACKET_FANOUT_HASH<<16 | group
	if group == newGroup {
		arg = (unix.PACKET_FANOUT_HASH | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, arg); err != nil {
		return 0, fmt.Errorf("dividing packets among sockets: %w", err)
	}
	arg, err := unix.GetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	return arg & 0xffff, err
}

// data is the block that is read, or is next.
func (r *ring) data() []byte { return r.mem.data[r.at*r.block : (r.at+1)*r.block] }

func (r *ring) status() *uint32 { return (*uint32)(unsafe.Pointer(&r.data()[blockStatus])) }

// ready reports whether a block is ours, or can be.
func (r *ring) ready() bool {
	return r.held || atomic.LoadUint32(r.status())&unix.TP_STATUS_USER != 0
}

// take begins with a block, if there is one.
func (r *ring) take() bool {
	if !r.held && r.ready() {
		r.held, r.cur = true, newBlockReader(r.data(), r.cur.how)
	}
	return r.held
}

// done reports whether all frames of the block that is ours were handed out.
func (r *ring) done() bool { return r.held && r.cur.left == 0 && !r.has }

// release gives a block back to the system.
func (r *ring) release() {
	if r.cur.bad {
		r.skipped.Add(1)
	}
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.held, r.at = false, (r.at+1)%r.blocks
}

// count takes over the losses, which the system forgets when it has told them.
func (r *ring) count() {
	if st, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		r.came += uint64(st.Packets)
		r.dropped += uint64(st.Drops)
	}
}

// left is how many packets were neither handed out nor lost by now.
func (r *ring) left() uint64 { return r.came - r.dropped - min(r.handed.Load(), r.came-r.dropped) }

// mapping is the memory of a ring.
type mapping struct{ data []byte }

func (m *mapping) free() {
	if m.data != nil {
		_ = unix.Munmap(m.data)
		m.data = nil
	}
}
