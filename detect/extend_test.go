package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// summary is of so many SYNs of a source, to so many targets, from one second to another.
func summary(from string, first, last float64, syns uint64, targets uint32) *flows.Summary {
	s := &flows.Summary{Source: address(from), First: at(first), Last: at(last), Targets: targets}
	s.Packets[flows.TCPSYN] = syns
	return s
}

// scanning is a wire on which a scan of 20 ports from the first second on is open.
func scanning(t *testing.T) *wire {
	w := newWire(t, profile(t, "default"))
	for i := range 20 {
		w.refused(1+float64(i)/100, outside, server, uint16(100+i))
	}
	require.Len(t, w.phase(Open), 1)
	return w
}

// extend lets a count come at a time.
func (w *wire) extend(seconds float64, s *flows.Summary) {
	w.idle(seconds)
	w.engine.Extend(s)
}

// TestExtendOpensNothing: no count, however large, opens a scan, also not of a source that
// is known.
func TestExtendOpensNothing(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	w.extend(1, summary(outside, 0, 1, 1e6, 1e6))
	for i := range 3 {
		w.refused(2+float64(i), outside, server, uint16(100+i))
	}
	w.extend(6, summary(outside, 0, 6, 2e6, 2e6))
	w.end()
	require.Empty(t, w.scans)
}

// TestExtend: a count lengthens the scan that is open, and says so at each doubling.
func TestExtend(t *testing.T) {
	w := scanning(t)
	w.extend(10, summary(outside, 2, 10, 300, 250))
	updates := w.phase(Update)
	last := updates[len(updates)-1]
	require.Equal(t, []string{"targets"}, last.Added)
	require.Equal(t, 250, last.Targets)
	require.True(t, last.Estimated)

	said := len(w.scans)
	w.extend(11, summary(outside, 2, 10, 300, 250))
	w.extend(12, summary(outside, 2, 12, 310, 251))
	require.Len(t, w.scans, said, "nothing new, or little")

	s := w.closed(t)
	require.Equal(t, 251, s.Targets)
	require.Equal(t, uint64(20+310), s.Attempts)
	require.Equal(t, uint64(20+310), s.Packets)
	require.Equal(t, Time(at(12)), s.Last)
	require.True(t, s.Estimated)
	require.Equal(t, Outcomes{Refused: 20}, s.Outcomes, "of what was told")
	require.Equal(t, 20, s.Ports)
	require.Equal(t, Vertical, s.Shape)
}

// TestExtendHoldsOpen: a scan of which only counts come is not silent; one whose count
// stands still is.
func TestExtendHoldsOpen(t *testing.T) {
	w := scanning(t)
	for minute := range 60 {
		now := float64(60 * minute)
		w.extend(now+60, summary(outside, 2, now, uint64(10+minute), 10))
	}
	require.Empty(t, w.phase(Close))
	for minute := range 20 {
		w.extend(float64(3660+60*minute), summary(outside, 2, 3540, 69, 10))
	}
	require.Len(t, w.phase(Close), 1)
	require.Equal(t, Time(at(3540)), w.phase(Close)[0].Last)
	require.Equal(t, 20, w.phase(Close)[0].Targets, "fewer than were told")
}

// TestExtendOfWhat: of a count only that is taken which is of the scan's time and techniques.
func TestExtendOfWhat(t *testing.T) {
	for name, row := range map[string]struct {
		counts   []*flows.Summary
		targets  int
		attempts uint64
	}{
		"another source":             {[]*flows.Summary{summary(inside, 2, 9, 900, 900)}, 20, 20},
		"a count begun before":       {[]*flows.Summary{summary(outside, 0, 5, 900, 900)}, 20, 20},
		"and gone on":                {[]*flows.Summary{summary(outside, 0, 5, 900, 900), summary(outside, 0, 7, 1000, 950)}, 50, 120},
		"a count whose clock drifts": {[]*flows.Summary{summary(outside, 2, 3, 80, 70), summary(outside, 2.001, 5, 100, 90)}, 90, 120},
		"two counts":                 {[]*flows.Summary{summary(outside, 2, 3, 80, 70), summary(outside, 4, 5, 100, 90)}, 90, 200},
		"the second one the smaller": {[]*flows.Summary{summary(outside, 2, 3, 80, 70), summary(outside, 4, 5, 60, 50)}, 70, 160},
		"in part by UDP": {[]*flows.Summary{func() *flows.Summary {
			s := summary(outside, 2, 9, 300, 100)
			s.Packets[flows.UDP] = 100
			return s
		}()}, 75, 320},
		"by UDP alone": {[]*flows.Summary{func() *flows.Summary {
			s := summary(outside, 2, 9, 0, 100)
			s.Packets[flows.UDP] = 100
			return s
		}()}, 20, 20},
	} {
		t.Run(name, func(t *testing.T) {
			w := scanning(t)
			for i, c := range row.counts {
				w.extend(10+float64(i), c)
			}
			s := w.closed(t)
			require.Equal(t, row.targets, s.Targets)
			require.Equal(t, row.attempts, s.Attempts)
			require.Equal(t, row.attempts > 20, s.Estimated)
		})
	}
}

// TestExtendAfterClose: a count that ended with a scan is not the next one's.
func TestExtendAfterClose(t *testing.T) {
	w := scanning(t)
	w.extend(10, summary(outside, 2, 10, 300, 250))
	w.idle(2000)
	require.Len(t, w.phase(Close), 1)
	for i := range 20 {
		w.refused(2001+float64(i)/100, outside, server, uint16(300+i))
	}
	w.extend(2010, summary(outside, 2, 10, 300, 250))
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 2)
	require.Equal(t, 20, closed[1].Targets)
	require.False(t, closed[1].Estimated)
}
