package settle

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// never is longer than any test.
const never = math.MaxInt64

// sieve is a pair of sockets of which one has the program.
type sieve struct {
	*Program
	in, out int
}

// newSieve loads the program, or skips the test where that is not possible.
func newSieve(t *testing.T, snap int) *sieve {
	t.Helper()
	p, err := load(snap, 7, never)
	if errors.Is(err, os.ErrPermission) && os.Getenv("SYNOPTIC_REQUIRE_LAB") != "1" {
		t.Skip("needs the capability CAP_BPF: ", err)
	}
	require.NoError(t, err)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, unix.Close(pair[0]))
		require.NoError(t, unix.Close(pair[1]))
	})
	require.NoError(t, p.Attach(pair[1]))
	require.NoError(t, p.Close()) // the socket keeps it
	return &sieve{Program: p, in: pair[0], out: pair[1]}
}

// pass sends a frame, and returns what comes through of it, nil if it is dropped.
func (s *sieve) pass(t require.TestingT, frame []byte) []byte {
	_, err := unix.Write(s.in, frame)
	require.NoError(t, err)
	b := make([]byte, 4096)
	n, err := unix.Read(s.out, b)
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	require.NoError(t, err)
	return b[:n]
}

// segment says what is to be in a frame.
type segment struct {
	six        bool
	back       bool // from the responder to the initiator
	conv       int
	flags      byte
	payload    int
	words      int // of IP options or of extension headers
	fragment   int // 1: the first, 2: a later one
	port       uint16
	multicast  bool
	ethertype  uint16 // other than IP's
	datagram   bool   // UDP
	tcpOptions int    // words
}

func (s segment) frame() []byte {
	link := []byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01")
	if s.multicast {
		link[0] |= 1
	}
	proto := byte(unix.IPPROTO_TCP)
	if s.datagram {
		proto = unix.IPPROTO_UDP
	}
	port := s.port
	if port == 0 {
		port = 443
	}
	tcp := binary.BigEndian.AppendUint16(nil, 1024)
	tcp = binary.BigEndian.AppendUint16(tcp, port)
	if s.back {
		tcp[0], tcp[1], tcp[2], tcp[3] = tcp[2], tcp[3], tcp[0], tcp[1]
	}
	tcp = append(tcp, 0, 0, 0, 1, 0, 0, 0, 2, byte(5+s.tcpOptions)<<4, s.flags, 1, 0, 0, 0, 0, 0)
	tcp = append(tcp, make([]byte, 4*s.tcpOptions+s.payload)...)
	from, to := byte(1), byte(100+s.conv)
	if s.back {
		from, to = to, from
	}
	ip := s.ipv4(proto, len(tcp), from, to)
	kind := uint16(0x0800)
	if s.six {
		ip, kind = s.ipv6(proto, len(tcp), from, to), 0x86dd
	}
	if s.ethertype != 0 {
		kind = s.ethertype
	}
	return append(append(binary.BigEndian.AppendUint16(link, kind), ip...), tcp...)
}

func (s segment) ipv4(proto byte, size int, from, to byte) []byte {
	b := make([]byte, 20+4*s.words)
	b[0] = 0x45 + byte(s.words)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)+size))
	switch s.fragment {
	case 1:
		b[6] = 0x20
	case 2:
		b[7] = 8
	}
	b[8], b[9] = 64, proto
	copy(b[12:], []byte{192, 0, 2, from, 192, 0, 2, to})
	return b
}

func (s segment) ipv6(proto byte, size int, from, to byte) []byte {
	b := make([]byte, 40)
	b[0], b[7] = 0x60, 64
	copy(b[8:], "\x20\x01\x0d\xb8")
	copy(b[24:], "\x20\x01\x0d\xb8")
	b[23], b[39] = from, to
	next := 6
	for range s.words {
		b[next] = 60 // destination options
		next = len(b)
		b = append(b, make([]byte, 8)...)
	}
	if s.fragment > 0 {
		b[next] = 44
		next = len(b)
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 0)
		if s.fragment == 2 {
			b[len(b)-6], b[len(b)-5] = 0x10, 0
		}
	}
	b[next] = proto
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40+size))
	return b
}

// conversation says what was seen of one, by the words of [flows.Settled].
type conversation struct{ payload, heard [2]bool }

func (c *conversation) settled() bool {
	return c.payload == [2]bool{true, true} && c.heard == [2]bool{true, true}
}

// model says what must become of segments.
type model map[[2]any]*conversation

// drops reports whether a segment is dropped.
func (m model) drops(s segment) bool {
	plain := !s.multicast && s.ethertype == 0 && !s.datagram && s.fragment != 2 && (!s.six || s.words+min(s.fragment, 1) <= 4)
	if !plain || s.port == 21 {
		return false
	}
	key := [2]any{s.six, s.conv*70000 + int(s.port)}
	c := m[key]
	if s.flags&7 != 0 || s.fragment == 1 {
		delete(m, key)
		return false
	}
	if c == nil {
		c = &conversation{}
		m[key] = c
	}
	if c.settled() {
		return true
	}
	side := 0
	if s.back {
		side = 1
	}
	c.payload[side] = c.payload[side] || s.payload > 0
	c.heard[side] = c.heard[side] || c.payload[1-side]
	return false
}

// draw draws a segment of one of some conversations, mostly of data.
func draw(r *rand.Rand) segment {
	s := segment{six: r.IntN(2) > 0, back: r.IntN(2) > 0, conv: r.IntN(3), flags: 0x10}
	if r.IntN(3) > 0 {
		s.payload = 1 + r.IntN(300)
	}
	if r.IntN(16) == 0 {
		s.flags = byte(r.IntN(64))
	}
	if r.IntN(8) == 0 {
		s.words = r.IntN(6)
	}
	switch r.IntN(32) {
	case 0:
		s.fragment = 1 + r.IntN(2)
	case 1:
		s.multicast = true
	case 2:
		s.datagram = true
	case 3:
		s.ethertype = []uint16{0x8100, 0x0806}[r.IntN(2)]
	}
	if s.conv == 2 {
		s.port = 21
	}
	s.tcpOptions = []int{0, 0, 3, 10}[r.IntN(4)]
	return s
}

// TestProgram holds the program against what it is to do, segment by segment.
func TestProgram(t *testing.T) {
	s := newSieve(t, 192)
	r := rand.New(rand.NewPCG(1, 2))
	gone := 0
	for range 2000 {
		s.Forget() // what other draws left
		m := model{}
		for range 1 + r.IntN(60) {
			seg := draw(r)
			frame, before := seg.frame(), dropped(s)
			got := s.pass(t, frame)
			if m.drops(seg) {
				require.Nil(t, got, "%+v", seg)
				require.Equal(t, before+1, dropped(s))
				gone++
				continue
			}
			require.Equal(t, frame[:min(len(frame), 192)], got, "%+v", seg)
			require.Equal(t, before, dropped(s))
		}
	}
	require.Greater(t, gone, 1000)
}

func dropped(s *sieve) uint64 {
	packets, _ := s.Dropped()
	return packets
}

// talk settles a conversation.
func talk(t *testing.T, s *sieve, conv int) {
	t.Helper()
	for _, seg := range []segment{{flags: 2}, {flags: 0x12, back: true}, {payload: 10}, {payload: 10, back: true}, {}} {
		seg.conv = conv
		if seg.flags == 0 {
			seg.flags = 0x10
		}
		require.NotNil(t, s.pass(t, seg.frame()))
	}
}

// TestSnap: what comes through is cut, and what is dropped is counted as it would have
// been cut.
func TestSnap(t *testing.T) {
	s := newSieve(t, 100)
	talk(t, s, 1)
	long, short := segment{conv: 1, flags: 0x10, payload: 1000}, segment{conv: 1, flags: 0x10, payload: 1}
	require.Nil(t, s.pass(t, long.frame()))
	require.Nil(t, s.pass(t, short.frame()))
	packets, bytes := s.Dropped()
	require.Equal(t, uint64(2), packets)
	require.Equal(t, uint64(100+len(short.frame())), bytes)
	long.flags |= 1
	require.Equal(t, long.frame()[:100], s.pass(t, long.frame()))
}

// TestForget: a conversation has to settle anew.
func TestForget(t *testing.T) {
	s := newSieve(t, 192)
	talk(t, s, 1)
	data := segment{conv: 1, flags: 0x10, payload: 10}
	require.Nil(t, s.pass(t, data.frame()))
	s.Forget()
	require.NotNil(t, s.pass(t, data.frame()))
	talk(t, s, 1)
	require.Nil(t, s.pass(t, data.frame()))
}

// TestManyConversations: more than there is room for drive each other out, and none makes
// another one settled.
func TestManyConversations(t *testing.T) {
	s := newSieve(t, 192)
	seen := 0
	for i := range 100_000 {
		b := segment{flags: 0x10, payload: 1, six: true}.frame()
		binary.BigEndian.PutUint32(b[14+20:], uint32(i))
		require.NotNil(t, s.pass(t, b))
		seen++
	}
	require.Equal(t, 100_000, seen)
	require.Zero(t, dropped(s))
}

// TestTell: of what could be dropped some comes through, so that time is known to go on.
func TestTell(t *testing.T) {
	s := newSieve(t, 192)
	always, err := load(192, 7, 0)
	require.NoError(t, err)
	require.NoError(t, always.Attach(s.out))
	require.NoError(t, always.Close())
	talk(t, s, 1)
	for range 10 {
		require.NotNil(t, s.pass(t, segment{conv: 1, flags: 0x10, payload: 10}.frame()))
	}
	require.Zero(t, dropped(&sieve{Program: always}))
}

// TestTwoBegin: a conversation that two processors have begun at once is forgotten with
// both of its slots.
func TestTwoBegin(t *testing.T) {
	s := newSieve(t, 192)
	p, err := load(192, 7, never)
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Attach(s.out))
	talk(t, s, 1)
	data := segment{conv: 1, flags: 0x10, payload: 10}
	require.Nil(t, s.pass(t, data.frame()))
	var at uint32
	var slot uint64
	all := p.objects.Conversations.Iterate()
	for all.Next(&at, &slot) && slot == 0 {
	}
	require.NoError(t, all.Err())
	require.NotZero(t, slot)
	const ways = 4
	for i := range uint32(ways) {
		require.NoError(t, p.objects.Conversations.Put(at/ways*ways+i, slot))
	}
	require.NotNil(t, s.pass(t, segment{conv: 1, flags: 0x11}.frame()))
	require.NotNil(t, s.pass(t, data.frame()))
}

// TestOneCapability: CAP_BPF is enough, with which the verifier asks more of a program than of
// root's.
func TestOneCapability(t *testing.T) {
	newSieve(t, 192) // or skip it
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends without its rights
		only := [2]unix.CapUserData{}
		only[unix.CAP_BPF/32] = unix.CapUserData{Effective: 1 << (unix.CAP_BPF % 32), Permitted: 1 << (unix.CAP_BPF % 32)}
		err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &only[0])
		if err == nil {
			var p *Program
			if p, err = Load(192, 7); err == nil {
				err = p.Close()
			}
		}
		result <- err
	}()
	require.NoError(t, <-result)
}
