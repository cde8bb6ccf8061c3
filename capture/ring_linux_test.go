package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/bpf"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// frameOf is an Ethernet frame that is nobody's, of some size.
func frameOf(tags string, number, size int) []byte {
	b := append([]byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01"), tags...)
	b = append(b, 0x88, 0xb5) // for experiments
	b = binary.BigEndian.AppendUint32(b, uint32(number))
	return append(b, make([]byte, max(0, size-len(b)))...)
}

// some reads frames until there are enough.
func some(t *testing.T, src Source, enough int) (all []Frame) {
	t.Helper()
	fs := make([]Frame, 64)
	deadline := time.Now().Add(20 * time.Second)
	for len(all) < enough {
		require.Less(t, time.Now(), deadline, "%d of %d frames", len(all), enough)
		n, err := src.Read(fs)
		if _, idle := errors.AsType[*Idle](err); !idle {
			require.NoError(t, err)
		}
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			all = append(all, f)
		}
	}
	return all
}

// rest reads what is there.
func rest(t *testing.T, src Source) (all []Frame) {
	t.Helper()
	fs := make([]Frame, 64)
	for {
		n, err := src.Read(fs)
		if idle, ok := errors.AsType[*Idle](err); ok && idle.Now > 0 {
			return all
		} else if !ok {
			require.NoError(t, err)
		}
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			all = append(all, f)
		}
	}
}

// TestRing sends frames on one end of a cable and reads them on the other: the
// same bytes, tags and all.
func TestRing(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, news := capturing(t, n, DeviceConfig{SnapLen: 200}, "b0")
	send := n.Sender("a0")
	var want [][]byte
	for _, tags := range []string{
		"", "\x81\x00\x20\x07", "\x81\x00\x00\x00", "\x81\x00\x60\x00", "\x88\xa8\x00\x09", "\x88\xa8\x00\x00",
		"\x88\xa8\x00\x09\x81\x00\x00\x07", "\x81\x00\x00\x09\x81\x00\x00\x07",
	} {
		for _, size := range []int{60, 199, 200, 201, 204, 205, 1400} {
			want = append(want, frameOf(tags, len(want), size))
		}
	}
	before := time.Now().UnixNano()
	for _, frame := range want {
		send(frame)
	}
	last := before
	for i, f := range some(t, src, len(want)) {
		require.Equal(t, want[i][:min(200, len(want[i]))], f.Data, "frame %d", i)
		require.Equal(t, len(want[i]), int(f.Len), "frame %d", i)
		require.GreaterOrEqual(t, f.Time, last)
		require.Zero(t, f.Iface)
		last = f.Time
	}
	require.LessOrEqual(t, last, time.Now().UnixNano())
	require.Equal(t, uint16(1), src.Link(0))
	require.Equal(t, uint16(noLink), src.Link(1))
	require.Empty(t, rest(t, src))
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(len(want)), st.Packets)
	require.Zero(t, st.Dropped+st.Skipped)
	require.Empty(t, news())
}

// TestRingIdle: on a quiet line time goes on, and stays behind the clock.
func TestRingIdle(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{}, "b0")
	fs := make([]Frame, 10)
	for range 3 {
		_, err := src.Read(fs)
		idle, ok := errors.AsType[*Idle](err)
		require.True(t, ok, "%v", err)
		require.Less(t, idle.Now, time.Now().Add(-holdBack/2).UnixNano())
		require.Greater(t, idle.Now, time.Now().Add(-time.Minute).UnixNano())
	}
	// What was read is made use of before more is waited for.
	n.Sender("a0")(frameOf("", 1, 60))
	require.Len(t, some(t, src, 1), 1)
	_, err := src.Read(fs)
	idle, ok := errors.AsType[*Idle](err)
	require.True(t, ok, "%v", err)
	require.Zero(t, idle.Now)
}

// TestRingCountsDrops sends more than the ring holds before anything is read:
// what arrived is what was read and what was counted as lost. Where the system is
// busy, a cable loses some before.
func TestRingCountsDrops(t *testing.T) {
	for _, sockets := range []int{1, 3} {
		n := netns.ForTest(t)
		n.Cable("a0", "b0")
		src, _ := capturing(t, n, DeviceConfig{Buffer: 1 << 18, SnapLen: 256, Sockets: sockets}, "b0")
		send := n.Sender("a0")
		const sent = 5000
		for i := range sent / 2 {
			send(frameOf("", i, 1000))
		}
		first, err := src.Stats() // resets the system's count
		require.NoError(t, err)
		require.Positive(t, first.Dropped)
		for i := range sent / 2 {
			send(frameOf("", i, 1000))
		}
		read := len(rest(t, src))
		require.Positive(t, read)
		st, err := src.Stats()
		require.NoError(t, err)
		require.Greater(t, st.Dropped, first.Dropped)
		require.Equal(t, arrived(n, "b0"), read+int(st.Dropped))
		// and it goes on
		send(frameOf("", 77, 60))
		require.Equal(t, frameOf("", 77, 60), some(t, src, 1)[0].Data)
		require.NoError(t, src.Close())
		after, err := src.Stats()
		require.NoError(t, err)
		require.Equal(t, st.Dropped, after.Dropped, "the account stays when the device is closed")
	}
}

// TestRingCountsByDevice: what was read and lost is told of each device, and adds up to the account of all, also
// when what lay unread is lost.
func TestRingCountsByDevice(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	n.Cable("a1", "b1")
	src, _ := capturing(t, n, DeviceConfig{Buffer: 1 << 18, SnapLen: 256}, "b0", "b1")
	busy, quiet := n.Sender("a0"), n.Sender("a1")
	for i := range 5000 {
		busy(frameOf("", i, 1000))
		if i%1000 == 0 {
			quiet(frameOf("", i, 1000))
		}
	}
	counted := func() []DeviceStats {
		all := src.(interface{ Devices() []DeviceStats }).Devices()
		st, err := src.Stats()
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.Equal(t, st.Packets, all[0].Packets+all[1].Packets)
		require.Equal(t, st.Dropped, all[0].Dropped+all[1].Dropped)
		return all
	}
	rest(t, src)
	all := counted()
	require.Equal(t, DeviceStats{Name: "b1", Packets: 5}, all[1])
	require.Equal(t, "b0", all[0].Name)
	require.Positive(t, all[0].Dropped)
	require.Equal(t, arrived(n, "b0"), int(all[0].Packets+all[0].Dropped))
	for i := range 3 {
		quiet(frameOf("", i, 60))
	}
	require.NoError(t, src.Close())
	all = counted()
	require.Equal(t, DeviceStats{Name: "b1", Packets: 5, Dropped: 3}, all[1])
}

// arrived is how many packets have arrived at a device.
func arrived(n *netns.Lab, device string) (packets int) {
	n.Do(func() error {
		all, err := Interfaces()
		for _, in := range all {
			if in.Name == device {
				packets = int(in.Packets)
			}
		}
		return err
	})
	return packets
}

// TestRingFilter: what the program drops does not come, from the first packet on.
func TestRingFilter(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	send := n.Sender("a0")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				send(frameOf("", i, 60))
			}
		}
	}()
	odd := func(link uint16, snap uint32) ([]bpf.Instruction, error) {
		require.Equal(t, uint16(1), link)
		return []bpf.Instruction{
			bpf.LoadAbsolute{Off: 17, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 1, SkipTrue: 1},
			bpf.RetConstant{Val: 0},
			bpf.RetConstant{Val: snap},
		}, nil
	}
	src, _ := capturing(t, n, DeviceConfig{Filter: odd}, "b0")
	for _, f := range some(t, src, 100) {
		require.Equal(t, byte(1), f.Data[17]&1)
	}
	close(stop)
	<-stopped

	bad := errors.New("no program")
	n.Do(func() error {
		_, err := OpenRing([]string{"b0"}, DeviceConfig{Filter: func(uint16, uint32) ([]bpf.Instruction, error) { return nil, bad }})
		require.ErrorIs(t, err, bad)
		return nil
	})
}

// TestRingOutgoing: what this host sends is captured unless it is left out.
func TestRingOutgoing(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	both, _ := capturing(t, n, DeviceConfig{}, "a0")
	in, _ := capturing(t, n, DeviceConfig{Incoming: true}, "a0")
	n.Sender("a0")(frameOf("\x81\x00\x00\x05", 1, 60))
	n.Sender("b0")(frameOf("", 2, 60))
	got := some(t, both, 2)
	require.Equal(t, frameOf("\x81\x00\x00\x05", 1, 60), got[0].Data)
	require.Equal(t, frameOf("", 2, 60), got[1].Data)
	got = some(t, in, 1)
	require.Equal(t, frameOf("", 2, 60), got[0].Data)
	require.Empty(t, rest(t, in))
}

// TestRingLoopback: loopback shows what is sent and what is received, which is
// the same; it is read once, also from all devices.
func TestRingLoopback(t *testing.T) {
	n := netns.ForTest(t)
	n.IP("link set lo up")
	lo, _ := capturing(t, n, DeviceConfig{}, "lo")
	all, _ := capturing(t, n, DeviceConfig{SnapLen: 1000}, "any")
	n.Do(func() error {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer conn.Close()
		for i := range 3 {
			_, err = conn.WriteTo(append([]byte{byte(i)}, make([]byte, 8000)...), conn.LocalAddr())
			require.NoError(t, err)
		}
		return nil
	})
	const headers = 14 + 20 + 8
	read := some(t, lo, 3)
	require.Empty(t, rest(t, lo))
	require.Len(t, read, 3)
	for i, f := range read {
		require.Equal(t, byte(i), f.Data[headers])
		require.Equal(t, headers+8001, int(f.Len))
		require.Len(t, f.Data, 192)
	}
	read = some(t, all, 3)
	require.Empty(t, rest(t, all))
	require.Len(t, read, 3)
	require.Equal(t, uint16(113), all.Link(0))
	for i, f := range read {
		require.Equal(t, "\x00\x00\x03\x04\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00\x45", string(f.Data[:17]))
		require.Equal(t, byte(i), f.Data[16+28])
		require.Equal(t, 16+28+8001, int(f.Len))
		require.Len(t, f.Data, 1000)
	}
}

// TestRingAny: a tag that was taken out is behind the header that all devices have.
func TestRingAny(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{Incoming: true}, "any")
	n.Sender("a0")(frameOf("\x88\xa8\x00\x09\x81\x00\x00\x07", 1, 60))
	f := some(t, src, 1)[0]
	require.Equal(t, "\x00\x03\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01", string(f.Data[:12]))
	require.Equal(t, "\x88\xa8\x00\x09\x81\x00\x00\x07\x88\xb5\x00\x00\x00\x01", string(f.Data[14:28]))
	require.Equal(t, 62, int(f.Len)) // 14 bytes of header less, 16 more
}

// TestRingSeveralDevices: packets come in the order of their times, whichever
// device they are from, whether others have any or not.
func TestRingSeveralDevices(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	n.Cable("a1", "b1")
	n.Cable("a2", "b2")
	src, _ := capturing(t, n, DeviceConfig{Buffer: 1 << 20}, "b0", "b1", "b2")
	send := []func([]byte){n.Sender("a0"), n.Sender("a1"), n.Sender("a2")}
	number, want := 0, []uint32(nil)
	for range 30 {
		for _, burst := range [][2]int{{0, 7}, {1, 1}, {0, 1}, {1, 4}} { // the third is silent
			for range burst[1] {
				send[burst[0]](frameOf("", number, 60))
				want = append(want, uint32(burst[0]))
				number++
			}
		}
	}
	send[2](frameOf("", number, 60))
	want = append(want, 2)
	var last int64
	for i, f := range some(t, src, len(want)) {
		require.GreaterOrEqual(t, f.Time, last)
		last = f.Time
		require.Equal(t, frameOf("", i, 60), f.Data, "frame %d", i)
		require.Equal(t, want[i], f.Iface)
	}
	require.Empty(t, rest(t, src))
}

// TestRingSockets: several sockets share a device's packets, which come in order.
func TestRingSockets(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{Buffer: 1 << 21, Sockets: 4}, "b0")
	send := n.Sender("a0")
	const sent = 800 // no more than wait for the system to receive them
	for i := range sent {
		send(flowFrame(i))
	}
	var last int64
	for i, f := range some(t, src, sent) {
		require.GreaterOrEqual(t, f.Time, last, "frame %d", i)
		last = f.Time
		require.Equal(t, flowFrame(i), f.Data)
		require.Zero(t, f.Iface)
	}
	used := 0
	for _, r := range src.(*rings).all {
		if r.at > 0 || r.held {
			used++
		}
	}
	require.Greater(t, used, 1, "sockets that packets came by")
}

// flowFrame is a UDP datagram of a conversation of its own.
func flowFrame(i int) []byte {
	b := frameOf("", 0, 60)[:14]
	b[12], b[13] = 8, 0
	b = append(b, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, byte(i), 198, 51, 100, byte(i/256))
	b = binary.BigEndian.AppendUint16(b, uint16(1024+i))
	b = append(b, 0, 53, 0, 26, 0, 0)
	return append(b, make([]byte, 60-len(b))...)
}

// TestRingCloseWakesRead closes from another goroutine while Read waits, and
// while others ask for Stats.
func TestRingCloseWakesRead(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{}, "b0")
	src.(*rings).turn = time.Hour // so that Read waits for Close alone
	result, reading := make(chan error), make(chan struct{})
	go func() {
		close(reading)
		_, err := src.Read(make([]Frame, 10))
		result <- err
	}()
	<-reading
	requireWakes(t, src, result)
	require.Nil(t, src.(*rings).all[0].mem.data, "the ring is given back")
}

// TestRingCloseAmidBatch: what was handed out stays valid until the next Read.
func TestRingCloseAmidBatch(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{}, "b0")
	n.Sender("a0")(frameOf("", 5, 60))
	fs := make([]Frame, 10)
	for got := 0; got == 0; {
		got, _ = src.Read(fs)
	}
	require.NoError(t, src.Close())
	require.Equal(t, frameOf("", 5, 60), fs[0].Data)
	require.NotNil(t, src.(*rings).all[0].mem.data)
	_, err := src.Read(fs)
	require.ErrorIs(t, err, os.ErrClosed)
	require.Nil(t, src.(*rings).all[0].mem.data)
}

// TestRingDevice: a device goes down and comes up, is renamed, and is removed.
func TestRingDevice(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, news := capturing(t, n, DeviceConfig{Own: true}, "b0")
	arrives := func(number int) {
		t.Helper()
		n.Sender("a0")(frameOf("", number, 60))
		require.Equal(t, frameOf("", number, 60), some(t, src, 1)[0].Data)
	}
	told := func() []string {
		t.Helper()
		for range 100 {
			if _, err := src.Read(make([]Frame, 1)); err != nil {
				_, idle := errors.AsType[*Idle](err)
				require.True(t, idle, "%v", err)
			}
			if all := news(); all != nil {
				return all
			}
		}
		return nil
	}
	arrives(1)
	n.IP("link set b0 down")
	require.Equal(t, []string{"interface b0 is down; capturing goes on when it is up"}, told())
	n.IP("link set b0 up")
	n.Carries("a0", "b0")
	require.Equal(t, []string{"interface b0 is up; capturing goes on"}, told())
	arrives(2)

	n.IP("link set b0 down", "link set b0 name wan0", "link set wan0 up")
	n.Carries("a0", "wan0")
	for _, line := range told() {
		require.Contains(t, []string{
			"interface b0 is down; capturing goes on when it is up",
			"interface b0 is now called wan0; capturing goes on",
		}, line)
	}
	arrives(3)

	n.IP("link del wan0")
	require.Equal(t, []string{"interface wan0 is gone; capturing goes on if one of the name b0 comes"}, told())
	n.IP("link add b0 type bridge", "link set b0 down", "link del b0") // one that is there for a moment
	n.Cable("a0", "b0")
	require.Equal(t, []string{"interface b0 is back; capturing goes on"}, told())
	arrives(4)
}

func TestRingDeviceThatIsDown(t *testing.T) {
	n := netns.ForTest(t)
	n.IP("link add a0 type veth peer name b0", "link set a0 up")
	src, news := capturing(t, n, DeviceConfig{}, "b0")
	require.Equal(t, []string{"interface b0 is down; capturing begins when it is up"}, news())
	_, err := src.Read(make([]Frame, 1))
	_, idle := errors.AsType[*Idle](err)
	require.True(t, idle, "%v", err)
	n.IP("link set b0 up")
	n.Carries("a0", "b0")
	n.Sender("a0")(frameOf("", 1, 60))
	require.Len(t, some(t, src, 1), 1)
}

// TestRingDeviceGoneFromSockets: sockets that share a device cannot be bound again.
func TestRingDeviceGoneFromSockets(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	src, _ := capturing(t, n, DeviceConfig{Sockets: 2}, "b0")
	n.IP("link del b0")
	var err error
	for idle := true; idle; {
		_, err = src.Read(make([]Frame, 1))
		_, idle = errors.AsType[*Idle](err)
	}
	require.ErrorIs(t, err, errGone)
	require.ErrorContains(t, err, "capturing from b0: ")
}

func TestRingCannotOpen(t *testing.T) {
	_, err := OpenRing(nil, DeviceConfig{})
	require.EqualError(t, err, "no device is named")
	for _, name := range []string{"nosuch0", "a-name-that-is-longer-than-any", ""} {
		_, err = OpenRing([]string{name}, DeviceConfig{})
		require.EqualError(t, err, "capturing from "+name+": there is no interface of that name")
	}
}
