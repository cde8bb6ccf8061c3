package detect

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// heapNow is how many bytes of heap there are.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// fail has so many sources fail at so many targets each of a /16, and each target
// answered by nobody.
func fail(e *Engine, sources, targets int) {
	at := int64(1e18)
	for i := range sources {
		for k := range targets {
			ev := flows.Event{Kind: flows.Counted, At: at}
			ev.Technique, ev.Class, ev.Proto, ev.Port = flows.TCPSYN, flows.ClassTCP, 6, 443
			ev.Initiator = [16]byte{10: 0xff, 11: 0xff, 12: 100}
			binary.BigEndian.PutUint32(ev.Initiator[12:], 100<<24|uint32(i))
			ev.Responder = [16]byte{10: 0xff, 11: 0xff}
			binary.BigEndian.PutUint32(ev.Responder[12:], 192<<24|168<<16|uint32(i*targets+k)&0xffff)
			ev.Start, ev.Line, ev.Time, ev.TimeLine = at, at, at, at
			ev.Packets, ev.Connections, ev.Counted = 1, 1, true
			e.Observe(&ev)
			ev.Kind = flows.Final
			e.Observe(&ev)
			at += 1000
		}
	}
}

// TestBoundsAreWhatThingsTake fills each of the large bounds, one after the other: the
// heap grows by no more than all of them say together, and by a third at least of what the
// one that is filled says.
func TestBoundsAreWhatThingsTake(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	const fixed = 1 << 20 // what the rules are made of, and the garbage of maps
	for name, c := range map[string]struct {
		set              func(*Config)
		sources, targets int
	}{
		"sources":               {func(c *Config) { c.Sources = 100_000 }, 100_000, 1},
		"counts":                {func(c *Config) { c.Groups = 7 << 13 }, 60_000, 2},
		"history":               {func(c *Config) { c.History = 200_000 }, 200_000, 1},
		"walks":                 {func(c *Config) { c.Walks = 8_000 }, 10_000, 3},
		"targets of open scans": {func(c *Config) { c.OpenTargets = 100_000 }, 8, 60_000},
	} {
		t.Run(name, func(t *testing.T) {
			const few = 1 << 10
			cfg := Config{Sources: few, Groups: few, History: few, Walks: few, OpenTargets: few, Suspects: few, Door: few, Pairs: few, Facts: few}
			c.set(&cfg)
			before := heapNow()
			e, err := New(cfg, rules)
			require.NoError(t, err)
			fail(e, c.sources, c.targets)
			took, said, filled := heapNow()-before, int64(fixed), int64(0)
			for _, b := range e.cfg.Bounds() {
				said += b.Bytes()
				if b.Name == name {
					filled = b.Bytes()
				}
			}
			require.LessOrEqual(t, took, said)
			require.GreaterOrEqual(t, 3*took, filled)
			runtime.KeepAlive(e)
		})
	}
}

// TestOpenScansShareTheirTargets: a large scan leaves room for a small one, and what a scan held is free when it has closed.
func TestOpenScansShareTheirTargets(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	closed := map[string]Scan{}
	e, err := New(Config{OpenTargets: 300, Report: func(s Scan) {
		if s.Phase == Close {
			closed[s.Src.String()] = s
		}
	}}, rules)
	require.NoError(t, err)
	fail(e, 3, 200)
	require.Equal(t, 300-150-16-16, e.room.left)
	e.Close()
	require.Equal(t, 300, e.room.left)
	require.Equal(t, 150, closed["100.0.0.0"].Targets)
	require.True(t, closed["100.0.0.0"].Estimated)
	require.Equal(t, 16, closed["100.0.0.1"].Targets)
	require.True(t, closed["100.0.0.1"].Estimated)
}
