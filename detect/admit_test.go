package detect

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// tries has one source fail at one target, for good.
func tries(e *Engine, at int64, from, to uint32, port uint16, outcome flows.Outcome) {
	ev := flows.Event{Kind: flows.Counted, At: at}
	ev.Technique, ev.Class, ev.Proto, ev.Port = flows.TCPSYN, flows.ClassTCP, 6, port
	ev.Initiator, ev.Responder = [16]byte{10: 0xff, 11: 0xff}, [16]byte{10: 0xff, 11: 0xff}
	binary.BigEndian.PutUint32(ev.Initiator[12:], from)
	binary.BigEndian.PutUint32(ev.Responder[12:], to)
	ev.Start, ev.Line, ev.Time, ev.TimeLine = at, at, at, at
	ev.Packets, ev.Connections, ev.Outcome, ev.Counted = 1, 1, outcome, true
	if outcome == flows.Productive {
		ev.Kind, ev.Counted = flows.Raised, false
	}
	e.Observe(&ev)
	ev.Kind = flows.Final
	e.Observe(&ev)
}

const ours, forgedFrom, scannerFrom = 192<<24 | 168<<16, 10 << 24, 100 << 24

// TestScansAmongForgedSources: with room for 200 sources, scanners that try a host of
// ours every second are found among 500 forged sources a second, and nobody else is
// named. The records say that their counts are no more than what was seen.
func TestScansAmongForgedSources(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	for name, distinct := range map[string]bool{"one target": false, "a target each": true} {
		t.Run(name, func(t *testing.T) {
			closed, health := map[string]Scan{}, 0
			e, err := New(Config{
				Sources: 200, Gate: 1 << 13,
				Report: func(s Scan) {
					if s.Phase == Close {
						closed[s.Src.String()] = s
					}
				},
				Notify: func(n Notice) {
					if n.Event == Health && n.About == HealthFlood {
						health++
					}
				},
			}, rules)
			require.NoError(t, err)
			at, forged := int64(1e18), uint32(0)
			for i := range uint32(60) {
				for range 500 {
					at += second / 500
					to := uint32(ours + 5)
					if distinct {
						to += forged
					}
					tries(e, at, forgedFrom+forged, to, uint16(1024+forged%1000), flows.Silent)
					forged++
				}
				if i >= 10 && i < 40 {
					for s := range uint32(5) {
						tries(e, at, scannerFrom+s, ours+i, 22, flows.Refused)
					}
				}
			}
			e.Close()
			require.Len(t, closed, 5)
			for s := range uint32(5) {
				sc := closed[flows.Addr([16]byte{10: 0xff, 11: 0xff, 12: 100, 15: byte(s)}).String()]
				require.GreaterOrEqual(t, sc.Targets, 20)
				require.Less(t, sc.Targets, 30)
				require.True(t, sc.Estimated)
				require.Positive(t, sc.Evidence.Before)
				require.LessOrEqual(t, sc.Targets+sc.Evidence.Before, 36)
			}
			require.Equal(t, 200, e.Stats().Sources)
			require.Positive(t, e.Stats().Gate.Asked)
			require.Positive(t, health)
			require.Less(t, health, 10)
		})
	}
}

// TestQuietSourcesMakeRoom: where all records are of sources that have been quiet for an hour,
// nobody is asked at the gate.
func TestQuietSourcesMakeRoom(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	e, err := New(Config{Sources: 10}, rules)
	require.NoError(t, err)
	at := int64(1e18)
	for i := range uint32(100) {
		at += 7 * 60 * second
		tries(e, at, forgedFrom+i, ours+i, 443, flows.Silent)
		require.NotNil(t, e.sources.find(&e.probe.event.Initiator))
	}
	require.Zero(t, e.Stats().Gate.Asked)
	require.EqualValues(t, 90, e.Stats().SourcesEvicted)
}

// TestWhatMattersStays: records of those who have had a conversation, or failed more than
// once, stay when others that failed once have to go; and who has a conversation gets one.
func TestWhatMattersStays(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	e, err := New(Config{Sources: 100, Gate: 1 << 13}, rules)
	require.NoError(t, err)
	at := int64(1e18)
	next := func(from, to uint32, port uint16, o flows.Outcome) {
		at += second / 100
		tries(e, at, from, to, port, o)
	}
	known := func(from uint32) bool {
		a := [16]byte{10: 0xff, 11: 0xff}
		binary.BigEndian.PutUint32(a[12:], from)
		return e.sources.find(&a) != nil
	}
	for i := range uint32(40) {
		next(scannerFrom+i, ours, 443, flows.Silent)
		next(scannerFrom+i, ours+1, 443, flows.Silent)
	}
	for i := range uint32(5000) {
		next(forgedFrom+i, ours+2, 443, flows.Silent)
	}
	for i := range uint32(40) {
		next(scannerFrom+100+i, ours, 80, flows.Productive)
	}
	for i := range uint32(5000) {
		next(forgedFrom+i, ours+3, 443, flows.Silent)
	}
	for i := range uint32(40) {
		require.True(t, known(scannerFrom+i), "failed twice")
		require.True(t, known(scannerFrom+100+i), "had a conversation")
	}
	require.False(t, known(forgedFrom+4999))
}

// TestCraftedProbesStandByThemselves: what a rule of crafted probes has counted is enough where
// the history has forgotten them, for nothing excuses them. What ordinary stacks send is not.
func TestCraftedProbesStandByThemselves(t *testing.T) {
	for name, marks := range map[string]flows.Mark{"crafted": flows.MarkNoOptions, "ordinary": 0} {
		t.Run(name, func(t *testing.T) {
			fired := map[string]int{}
			e, err := New(Config{History: 8, Report: func(s Scan) {
				if s.Phase == Open {
					fired[s.Rule]++
				}
			}}, profile(t, "default"))
			require.NoError(t, err)
			at := int64(1e18)
			for i := range uint32(12) {
				for k := range uint32(20) {
					at += second / 10
					tries(e, at, forgedFrom+i*20+k, ours+1, 443, flows.Silent)
				}
				ev := flows.Event{Kind: flows.Counted, At: at}
				ev.Technique, ev.Class, ev.Proto, ev.Port, ev.Marks = flows.TCPSYN, flows.ClassTCP, 6, 22, marks
				ev.Initiator, ev.Responder = [16]byte{10: 0xff, 11: 0xff, 12: 100, 15: 1}, [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 168, 15: byte(i)}
				ev.Start, ev.Line, ev.Time, ev.TimeLine, ev.Seq = at, at, at, at, i+1
				ev.Packets, ev.Connections, ev.Counted = 1, 1, true
				e.Observe(&ev)
			}
			if marks == 0 {
				require.Empty(t, fired)
			} else {
				require.Equal(t, map[string]int{"crafted-hosts-on-a-port": 1}, fired)
			}
		})
	}
}

// TestCreditOfMany: a source whose record had to go, and which tried more since than the gate
// can tell apart, has all the credit there is.
func TestCreditOfMany(t *testing.T) {
	e, err := New(Config{GateBits: 2}, profile(t, "default"))
	require.NoError(t, err)
	at := int64(1e18)
	scanner := [16]byte{10: 0xff, 11: 0xff, 12: 100}
	for i := range uint64(2000) {
		e.admission.gate.Admits(&scanner, e.keys.addr(&scanner, i), at)
	}
	tries(e, at, scannerFrom, ours, 443, flows.Refused)
	s := e.sources.find(&scanner)
	require.NotNil(t, s)
	require.EqualValues(t, 255, s.credit)
}
