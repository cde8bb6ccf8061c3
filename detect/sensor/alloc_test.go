package sensor_test

import (
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// crowd is a source of so many packets, a millisecond apart, of four kinds in turn: a forged
// source's only SYN; a scanner's, to a further target; a client's, and the answer to that.
type crowd struct {
	packets, sent uint32
	data          [256][40]byte
}

// rawIP is the LINKTYPE of packets without a header of a link.
const rawIP = 101

func (c *crowd) Link(uint32) uint16            { return rawIP }
func (c *crowd) Close() error                  { return nil }
func (c *crowd) Stats() (capture.Stats, error) { return capture.Stats{Packets: uint64(c.sent)}, nil }

func (c *crowd) Read(fs []capture.Frame) (n int, err error) {
	for ; n < len(fs) && n < len(c.data) && c.sent < c.packets; n++ {
		c.write(&c.data[n])
		fs[n] = capture.Frame{Data: c.data[n][:], Time: 1e18 + int64(c.sent)*1e6, Len: 40}
		c.sent++
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (c *crowd) write(b *[40]byte) {
	const syn, synAck = 0x02, 0x12
	const server = 198<<24 | 51<<16 | 100<<8 | 1
	i := c.sent / 4
	src, dst, from, to, flags := uint32(0), uint32(server), uint16(40_000+i%20_000), uint16(80), byte(syn)
	switch c.sent % 4 {
	case 0:
		src = 100<<24 | i
	case 1:
		src, dst, to = 203<<24|113<<8|7, 10<<24|i, uint16(i%3)
	case 2:
		src = 192<<24 | 2<<8 | i%200
	case 3:
		src, dst, from, to, flags = server, 192<<24|2<<8|i%200, 80, uint16(40_000+i%20_000), synAck
	}
	*b = [40]byte{0: 0x45, 3: 40, 8: 64, 9: 6, 32: 0x50, 33: flags, 34: 0xfa}
	binary.BigEndian.PutUint32(b[12:], src)
	binary.BigEndian.PutUint32(b[16:], dst)
	binary.BigEndian.PutUint16(b[20:], from)
	binary.BigEndian.PutUint16(b[22:], to)
	binary.BigEndian.PutUint32(b[24:], i*2_654_435_761)
}

// TestPacketsAllocateNothing runs the whole line on ever new sources beside a scan that is open:
// twice as many packets take memory by the chunk, if any, and no more.
func TestPacketsAllocateNothing(t *testing.T) {
	allocated := func(packets uint32, cfg sensor.Config) uint64 {
		opened := 0
		cfg.OnScan = func(s detect.Scan) {
			if s.Phase == detect.Open {
				opened++
			}
		}
		s, err := sensor.New(cfg)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		sum, err := s.Run(context.Background(), &crowd{packets: packets})
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.EqualValues(t, packets, sum.Decode.Packets)
		require.Equal(t, 1, opened)
		return after.Mallocs - before.Mallocs
	}
	little := squeezed()
	little.Inline = true
	for name, cfg := range map[string]sensor.Config{
		"piped": {}, "keeping packets": {Evidence: sensor.Evidence{Keeper: counter{}}}, "in 4 MiB": fitted(t, 4<<20), "inline, squeezed": little,
	} {
		t.Run(name, func(t *testing.T) {
			const packets = 50_000
			once, twice := allocated(packets, cfg), allocated(2*packets, cfg)
			// A record of the scan more is some 200, an allocation for each attempt 12,500.
			require.Less(t, int(twice)-int(once), packets/50, "of the second half")
		})
	}
}

// counter keeps no packets that it is given.
type counter struct{}

func (counter) Begin(*detect.Scan) sensor.Keep                   { return counter{} }
func (counter) Record(*detect.Scan)                              {}
func (counter) Frame(*capture.Frame, uint16)                     {}
func (counter) End(_ *detect.Scan, _ sensor.Kept, _ sensor.Kept) {}
