package replays

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// header is where things stand in a frame.
type header struct {
	src, dst     []byte // addresses
	proto        byte
	sport, dport []byte // of an ICMP echo: both its identifier; else nil
	flags        byte   // of TCP
	question     bool   // of ICMP: an echo request
	quoted       *header
}

const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// headerOf finds the IP packet in a frame, nil if there is none.
func headerOf(f frame) *header {
	b := f.Data
	switch f.link {
	case 1:
		at := 14
		if len(b) > 18 && b[12] == 0x81 {
			at = 18
		}
		if len(b) < at || b[at-2] != 0x08 && b[at-2] != 0x86 || b[at-1] != 0 && b[at-1] != 0xdd {
			return nil
		}
		return ipHeader(b[at:])
	case 276:
		return ipHeader(b[20:])
	default:
		return ipHeader(b)
	}
}

func ipHeader(b []byte) *header {
	var h header
	switch {
	case len(b) >= 28 && b[0]>>4 == 4:
		h.proto, h.src, h.dst, b = b[9], b[12:16], b[16:20], b[4*int(b[0]&15):]
	case len(b) >= 48 && b[0]>>4 == 6:
		h.proto, h.src, h.dst, b = b[6], b[8:24], b[24:40], b[40:]
	default:
		return nil
	}
	switch {
	case (h.proto == protoTCP || h.proto == protoUDP) && len(b) >= 8:
		h.sport, h.dport = b[0:2], b[2:4]
		if h.proto == protoTCP && len(b) >= 14 {
			h.flags = b[13]
		}
	case h.proto == protoICMP && (b[0] == 0 || b[0] == 8), h.proto == protoICMPv6 && (b[0] == 128 || b[0] == 129):
		h.sport, h.dport, h.question = b[4:6], b[4:6], b[0] == 8 || b[0] == 128
	case h.proto == protoICMP && (b[0] == 3 || b[0] == 11), h.proto == protoICMPv6 && b[0] < 128:
		h.quoted = ipHeader(b[8:])
	}
	return &h
}

// socket is one end of conversations.
type socket struct {
	addr  netip.Addr
	proto byte
	port  uint16
}

func socketOf(addr []byte, proto byte, port []byte) socket {
	a, _ := netip.AddrFromSlice(addr)
	return socket{a, proto, binary.BigEndian.Uint16(port)}
}

// gateway lays all who begin conversations behind one address of each family.
// Each of their sockets has a port of its own.
type gateway struct {
	inside map[socket]uint16
	ports  int // given out
}

var (
	outside4 = netip.MustParseAddr("198.51.100.99")
	outside6 = netip.MustParseAddr("2001:db8:99::99")
)

// translate rewrites a frame, and reports whether it is one that a gateway
// passes on.
func (g *gateway) translate(f frame) bool {
	h := headerOf(f)
	if h == nil || !routed(h.src) || !routed(h.dst) {
		return false
	}
	switch {
	case h.quoted != nil && h.quoted.sport != nil:
		g.begin(h.quoted, true)
		g.map1(h.quoted.src, h.quoted.proto, h.quoted.sport)
		copy(h.dst, h.quoted.src)
		return true
	case h.sport == nil:
		return false
	}
	g.begin(h, h.proto != protoTCP || h.flags&0x14 == 0 || h.flags&0x16 == 0x10)
	if h.proto == protoICMP || h.proto == protoICMPv6 {
		if h.question {
			g.map1(h.src, h.proto, h.sport)
		} else {
			g.map1(h.dst, h.proto, h.dport)
		}
		return true
	}
	g.map1(h.src, h.proto, h.sport)
	g.map1(h.dst, h.proto, h.dport)
	return true
}

// begin takes in the socket that begins a conversation: the sender of its first
// packet, but for answers to what was not seen.
func (g *gateway) begin(h *header, asks bool) {
	from, to := socketOf(h.src, h.proto, h.sport), socketOf(h.dst, h.proto, h.dport)
	_, known := g.inside[from]
	if _, other := g.inside[to]; known || other {
		return
	}
	if h.proto == protoICMP || h.proto == protoICMPv6 {
		asks = h.question
	}
	if !asks {
		from = to
	}
	g.ports++
	g.inside[from] = uint16(1024 + g.ports*40503%64000)
}

func (g *gateway) map1(addr []byte, proto byte, port []byte) {
	p, known := g.inside[socketOf(addr, proto, port)]
	if !known {
		return
	}
	binary.BigEndian.PutUint16(port, p)
	outside := outside4
	if len(addr) == 16 {
		outside = outside6
	}
	copy(addr, outside.AsSlice())
}

// routed reports whether an address is one beyond a link.
func routed(b []byte) bool {
	a, _ := netip.AddrFromSlice(b)
	return a.IsGlobalUnicast()
}

// clean are the captures of ordinary traffic, of the generator and of the lab.
func clean(t *testing.T) (names []string) {
	t.Helper()
	for _, c := range library(t) {
		if len(c.scanners) == 0 {
			names = append(names, filepath.Join(captures, c.name))
		}
	}
	const lab = "../lab"
	text, err := os.ReadFile(filepath.Join(lab, "README.md"))
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "## No scan in it")
	require.True(t, found)
	for line := range strings.Lines(list) {
		if name, _, found := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); found && strings.HasSuffix(name, ".pcap") {
			names = append(names, filepath.Join(lab, "recordings", name))
		}
	}
	require.Greater(t, len(names), 20)
	return names
}

// Everything ordinary there is, as the doing of one host: behind one address
// all dead servers, refusals and unused connections add up.
func TestAllCleanTrafficBehindOneAddress(t *testing.T) {
	names := clean(t)
	for _, arrangement := range []struct {
		name  string
		start func(i int) time.Duration // of the capture i
	}{
		{"all at once", func(int) time.Duration { return 0 }},
		{"ten seconds apart", func(i int) time.Duration { return time.Duration(i) * 10 * time.Second }},
		{"a minute apart", func(i int) time.Duration { return time.Duration(len(names)-i) * time.Minute }},
		{"anyhow within five minutes", func(i int) time.Duration { return time.Duration(mix(uint64(i)) % uint64(5*time.Minute)) }},
	} {
		t.Run(arrangement.name, func(t *testing.T) {
			g := &gateway{inside: map[socket]uint16{}}
			var all []frame
			for i, name := range names {
				frames := read(t, name)
				begin := frames[0].Time - int64(arrangement.start(i))
				for _, f := range frames {
					if g.translate(f) {
						f.Time += 1_800_000_000e9 - begin
						all = append(all, f)
					}
				}
				clear(g.inside) // another capture may use the same sockets
			}
			require.Greater(t, len(all), 15_000)
			requireOneClient(t, all)
			require.Empty(t, results(scans(t, play(byTime(all, times(all))))))
		})
	}
}

// requireOneClient checks that nobody else begins a connection.
func requireOneClient(t *testing.T, frames []frame) {
	t.Helper()
	opened := 0
	for _, f := range frames {
		if h := headerOf(f); h.proto == protoTCP && h.flags&0x12 == 0x02 {
			opened++
			a, _ := netip.AddrFromSlice(h.src)
			require.Contains(t, []netip.Addr{outside4, outside6}, a)
		}
	}
	require.Greater(t, opened, 500)
}
