package bpf

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// stranger is one of many sources.
func stranger(i int) netip.Addr {
	a := probed6.As16()
	binary.BigEndian.PutUint32(a[8:], uint32(i))
	return netip.AddrFrom16(a)
}

// overspent is a program of which all sources are over their budget, with room for 256.
func overspent(t *testing.T) *runner {
	return running(t, func(set *tuning) { set.budget, set.sizes.sets = 0, 64 })
}

// TestSources has the sources over their budget counted each for itself.
func TestSources(t *testing.T) {
	require.EqualValues(t, setBytes, unsafe.Sizeof(xdpSet{}))
	r := overspent(t)
	now := r.life.began
	const sources = 100
	for i := range sources {
		for port := range uint16(1 + i%3) {
			require.False(t, r.run(internet(stranger(i), probed6, 6, tcpHeader(7, port, syn, nil))))
		}
	}
	require.False(t, r.run(internet(prober, probed, 17, udpHeader(1, 53, nil))), "IPv4, UDP")
	var b Batch
	require.NoError(t, r.sum(&b, now))
	seen := map[[16]byte]flows.Summary{}
	for _, s := range b.Summaries {
		require.Equal(t, now+r.offset, s.First)
		require.Equal(t, now+r.offset, s.Last)
		require.NotContains(t, seen, s.Source)
		seen[s.Source] = s
	}
	require.Len(t, seen, sources+1)
	for i := range sources {
		s := seen[addressIn(stranger(i))]
		require.EqualValues(t, 1+i%3, s.Packets[flows.TCPSYN])
		require.InDelta(t, 1+i%3, s.Targets, 1)
	}
	require.EqualValues(t, 1, seen[addressIn(prober)].Packets[flows.UDP])
	st, err := r.Stats()
	require.NoError(t, err)
	require.Equal(t, sources+1, st.Sources)
	require.Zero(t, st.Evicted)
}

// TestSourcesWithoutRoom has the sources forgotten that were silent for longest, and counted.
func TestSourcesWithoutRoom(t *testing.T) {
	r := overspent(t)
	now := r.life.began
	const others, each = 2000, 20 // others between two packets of one that goes on
	for i := range others {
		now++
		require.NoError(t, r.objects.Now.Set(uint64(now)))
		require.False(t, r.run(internet(stranger(i), probed6, 6, tcpHeader(7, 80, syn, nil))))
		if i%each == 0 {
			require.False(t, r.run(internet(prober, probed, 6, tcpHeader(7, uint16(i), syn, nil))))
		}
	}
	var b Batch
	require.NoError(t, r.sum(&b, now))
	require.Len(t, b.Summaries, 256)
	for _, s := range b.Summaries {
		if s.Source == addressIn(prober) {
			require.EqualValues(t, others/each, s.Packets[flows.TCPSYN])
			require.Equal(t, r.life.began+1+r.offset, s.First)
		} else {
			require.EqualValues(t, 1, s.Packets[flows.TCPSYN])
		}
	}
	st, err := r.Stats()
	require.NoError(t, err)
	require.Equal(t, 256, st.Sources)
	require.EqualValues(t, others+1-256, st.Evicted)

	now += forgetAfter // but for the last
	b.Summaries = nil
	require.NoError(t, r.sum(&b, now))
	require.Len(t, b.Summaries, 1)
	require.False(t, r.run(internet(stranger(others), probed6, 6, tcpHeader(7, 80, syn, nil))))
	require.NoError(t, r.sum(&b, now))
	st, err = r.Stats()
	require.NoError(t, err)
	require.Equal(t, 2, st.Sources)
	require.EqualValues(t, others+1-256, st.Evicted, "there was room")
}
