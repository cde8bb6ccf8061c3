package bpf

import (
	"math/bits"
	"net/netip"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

const syn, ack, rst, fin = flows.FlagSYN, flows.FlagACK, flows.FlagRST, flows.FlagFIN

// between is a segment from the prober's port to the probed's, or back.
func between(port uint16, flags byte) []byte {
	return internet(prober, probed, 6, tcpHeader(port, 80, flags, nil))
}

func back(port uint16, flags byte) []byte {
	return internet(probed, prober, 6, tcpHeader(80, port, flags, nil))
}

func asked(from, to netip.Addr, sport, dport uint16) []byte {
	return internet(from, to, 17, udpHeader(sport, dport, []byte("who is there")))
}

// TestTellsWhatIsNew gives the program conversations frame by frame. The comparison with the
// model, see TestTold, has more of them; these say what is meant.
func TestTellsWhatIsNew(t *testing.T) {
	r := running(t, nil)
	group := netip.MustParseAddr("239.1.2.3")
	type step struct {
		what  string
		frame []byte
		told  bool
	}
	for name, steps := range map[string][]step{
		"connection": {
			{"syn", between(1, syn), true},
			{"syn again", between(1, syn), false},
			{"syn-ack", back(1, syn|ack), true},
			{"syn-ack again", back(1, syn|ack), false},
			{"data", between(1, ack|flows.FlagPSH), false},
			{"fin", between(1, fin|ack), true},
			{"fin again", between(1, fin|ack), false},
			{"the other's fin", back(1, fin|ack), true},
			{"the target from another port", between(2, syn), false},
			{"its syn-ack, for it was not told, once", back(2, syn|ack), true},
			{"its fin", between(2, fin|ack), false},
			{"a third's syn-ack", back(3, syn|ack), false},
		},
		"half-open":    {{"syn", between(1, syn), true}, {"syn-ack", back(1, syn|ack), true}, {"rst", between(1, rst), true}},
		"refused":      {{"syn", between(1, syn), true}, {"rst", back(1, rst|ack), true}, {"again", back(1, rst|ack), false}},
		"flag probes":  {{"fin", between(1, fin), true}, {"null", between(1, 0), true}, {"xmas", between(1, 0x29), true}, {"maimon", between(1, fin|ack), true}},
		"ack probe":    {{"ack", between(1, ack), false}},
		"strays":       {{"syn-ack", back(1, syn|ack), true}, {"to another port", back(2, syn|ack), false}},
		"conversation": {{"question", asked(prober, probed, 1, 53), true}, {"answer", asked(probed, prober, 53, 1), true}, {"more", asked(probed, prober, 53, 1), false}, {"another question", asked(prober, probed, 2, 53), false}, {"its answer", asked(probed, prober, 53, 2), false}},
		"to a group":   {{"datagram", asked(prober, group, 1, 1900), true}, {"again", asked(prober, group, 1, 1900), false}, {"answer", asked(probed, prober, 1900, 1), true}, {"syn", internet(prober, group, 6, tcpHeader(1, 80, syn, nil)), false}},
		"dhcp":         {{"wish", asked(prober, probed, 68, 67), true}, {"again", asked(prober, probed, 68, 67), true}},
	} {
		r.age()
		r.age()
		for _, s := range steps {
			require.Equal(t, s.told, r.run(s.frame), "%s: %s", name, s.what)
		}
	}
}

// TestForgets has targets told again after one to two generations, but for conversations of
// datagrams that go on.
func TestForgets(t *testing.T) {
	r := running(t, nil)
	for _, frame := range [][]byte{between(1, syn), asked(prober, probed, 1, 53), asked(probed, prober, 53, 1)} {
		require.True(t, r.run(frame))
	}
	for range 4 {
		r.age()
		require.False(t, r.run(asked(prober, probed, 1, 53)))
		require.False(t, r.run(asked(probed, prober, 53, 1)))
	}
	require.True(t, r.run(between(1, syn)))
	r.age()
	require.False(t, r.run(between(1, syn)))
	r.age()
	require.True(t, r.run(between(1, syn)))
	require.True(t, r.run(back(1, syn|ack)), "an answer is forgotten with its question")
}

// TestFullRing has what there is no room for told when it comes again.
func TestFullRing(t *testing.T) {
	r := running(t, func(set *tuning) { set.sizes.ring = 4096 })
	told := 0
	for port := range uint16(100) {
		before := r.ring.AvailableBytes()
		_, err := r.objects.Synoptic.Run(runOf(internet(prober, probed, 6, tcpHeader(7, port, syn, nil))))
		require.NoError(t, err)
		if r.ring.AvailableBytes() > before {
			told++
		}
	}
	s, err := r.Stats()
	require.NoError(t, err)
	require.EqualValues(t, told, s.Told)
	require.EqualValues(t, 100-told, s.RingFull)
	require.Positive(t, s.RingFull)
	require.Greater(t, s.RingLoad, 0.9)

	ports := map[uint16]bool{}
	for range 10 {
		for _, p := range r.empty() {
			require.False(t, ports[p.DstPort], "told twice")
			ports[p.DstPort] = true
		}
		for port := range uint16(100) {
			_, err := r.objects.Synoptic.Run(runOf(internet(prober, probed, 6, tcpHeader(7, port, syn, nil))))
			require.NoError(t, err)
		}
	}
	require.Len(t, ports, 100)
}

// TestBudget has a source go on counted when its budget is spent, and others told as before.
func TestBudget(t *testing.T) {
	r := running(t, func(set *tuning) { set.budget = 50 })
	told := 0
	for port := range uint16(1050) {
		if r.run(internet(prober, probed, 6, tcpHeader(7, port, syn, nil))) {
			told++
		}
	}
	require.Equal(t, 50, told)
	require.True(t, r.run(internet(prober6, probed6, 6, tcpHeader(7, 80, syn, nil))), "of another source")
	s, err := r.Stats()
	require.NoError(t, err)
	require.EqualValues(t, 1000, s.OverBudget)

	now, err := monotonic()
	require.NoError(t, err)
	var b Batch
	require.NoError(t, r.sum(&b, now))
	require.Len(t, b.Summaries, 1)
	got := b.Summaries[0]
	require.Equal(t, addressIn(prober), got.Source)
	require.EqualValues(t, 1000, got.Packets[flows.TCPSYN])
	require.InEpsilon(t, 1000, float64(got.Targets), 0.4)
	require.NotZero(t, got.First)
	require.GreaterOrEqual(t, got.Last, got.First)
	s, err = r.Stats()
	require.NoError(t, err)
	require.Equal(t, 1, s.Sources)
	require.Zero(t, s.Evicted)

	r.age()
	require.True(t, r.run(internet(prober, probed, 6, tcpHeader(7, 60000, syn, nil))), "a generation later")
}

// TestEstimate has the count of targets estimated within three deviations.
func TestEstimate(t *testing.T) {
	var registers [64]uint8
	require.Zero(t, estimate(&registers))
	n := 0
	for _, most := range []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000} {
		for ; n < most; n++ {
			x := uint64(n+1) * 0x9e3779b97f4a7c15 // splitmix64
			x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
			x = (x ^ x>>27) * 0x94d049bb133111eb
			x ^= x >> 31
			rank := uint8(bits.TrailingZeros64(x>>6|1<<57) + 1)
			registers[x&63] = max(registers[x&63], rank)
		}
		require.InEpsilon(t, n, float64(estimate(&registers)), 3*0.13, "%d", n)
	}
}

func runOf(frame []byte) *ebpf.RunOptions { return &ebpf.RunOptions{Data: frame} }

func addressIn(a netip.Addr) [16]byte { return a.As16() }
