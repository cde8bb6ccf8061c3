package detect

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// quarry is a host of ours.
const quarry = "10.1.2.3"

// talk is a connection of an ordinary stack on which so many bytes are said, and which
// ends after so many seconds.
func (w *wire) talk(seconds float64, from, to string, port uint16, lasts float64, sent, received uint32) {
	w.say(seconds, w.dial(from, to, port), lasts, sent, received)
}

func (w *wire) say(seconds float64, c conn, lasts float64, sent, received uint32) {
	w.send(seconds, c.syn(), c.synack(), c.ack(), c.ask(), c.reply())
	w.idle(seconds + lasts)
	fin, back := c.forward(flows.FlagFIN|flows.FlagACK, 0), c.back(flows.FlagFIN|flows.FlagACK, 0)
	fin.Seq += sent
	fin.Ack += received
	back.Seq, back.Ack = fin.Ack, fin.Seq+1
	w.send(seconds+lasts, fin, back)
}

// scanned is a wire on which ports 100 to 119 of the quarry were scanned from outside
// by half-open connections in the first twenty seconds: port 110 answered.
func scanned(t *testing.T) *wire {
	t.Helper()
	w := newWire(t, profile(t, "default"))
	w.scan(0)
	return w
}

func (w *wire) scan(from float64) {
	for i := range 20 {
		c := w.dial(outside, quarry, uint16(100+i))
		if i == 10 {
			w.send(from+float64(i), c.syn(), c.synack(), c.abort())
		} else {
			w.send(from+float64(i), c.syn(), c.refuse())
		}
	}
}

func TestReachVerdict(t *testing.T) {
	const brief = 0.5
	for _, c := range []struct {
		name string
		then func(w *wire)
		want Verdict
	}{
		{"nothing more", func(*wire) {}, Answered},
		{"a banner", func(w *wire) { w.talk(40, outside, quarry, 110, 6, 100, 900) }, Probed},
		{"a front page", func(w *wire) { w.talk(40, outside, quarry, 110, brief, 400, 60_000) }, Probed},
		{"much said to it", func(w *wire) { w.talk(40, outside, quarry, 110, brief, 5_000, 900) }, Engaged},
		{"much fetched", func(w *wire) { w.talk(40, outside, quarry, 110, brief, 400, 2_000_000) }, Engaged},
		{"a login", func(w *wire) { w.talk(40, outside, quarry, 110, 60, 2_000, 3_000) }, Engaged},
		{"a login that goes on", func(w *wire) {
			w.busy(40, outside, quarry, 110)
			w.idle(55)
		}, Engaged},
		{"a connection that is kept open and not used", func(w *wire) {
			c := w.dial(outside, quarry, 110)
			w.send(40, c.syn(), c.synack(), c.ack(), c.reply())
			w.idle(100)
			w.send(100, c.forward(flows.FlagFIN|flows.FlagACK, 0))
		}, Answered},
		{"a login at a port that was not tried, of a host whose ports were", func(w *wire) {
			w.talk(40, outside, quarry, 22, 60, 2_000, 3_000)
		}, Engaged},
		{"a login at another host", func(w *wire) { w.talk(40, outside, nth(quarry, 99), 110, 60, 2_000, 3_000) }, Answered},
		{"another's login", func(w *wire) { w.talk(40, nth(outside, 99), quarry, 110, 60, 2_000, 3_000) }, Answered},
		{"a shell that calls back", func(w *wire) { w.talk(40, quarry, outside, 4444, brief, 100, 900) }, Engaged},
		{"a call that fails", func(w *wire) { w.refused(40, quarry, outside, 4444) }, Answered},
		{"a call by another host of ours", func(w *wire) { w.talk(40, nth(quarry, 99), outside, 4444, brief, 100, 900) }, Answered},
		{"ident", func(w *wire) { w.talk(40, quarry, outside, 113, brief, 100, 900) }, Answered},
	} {
		w := scanned(t)
		c.then(w)
		got := w.closed(t)
		require.Equal(t, c.want, got.Verdict, c.name)
		require.Equal(t, c.want == Engaged, len(got.Engaged) == 1, c.name)
		require.Empty(t, w.phase(Reopen), c.name)
	}
}

// TestFTPDataIsNoCall: a server that sends a file that the scanner asked for; but port
// 20 alone excuses nothing.
func TestFTPDataIsNoCall(t *testing.T) {
	for _, asked := range []bool{true, false} {
		w := scanned(t)
		if asked {
			w.talk(40, outside, quarry, 21, 2, 100, 900)
		}
		c := w.dial(quarry, outside, 40_001)
		c.sport = 20
		w.say(41, c, 1, 3_000, 0)
		want := Engaged
		if asked {
			want = Probed
		}
		require.Equal(t, want, w.closed(t).Verdict)
	}
}

// TestWhatWasUsedBeforeIsNoReach: a monitor goes on with what it did before it scanned,
// and so do those that report to it.
func TestWhatWasUsedBeforeIsNoReach(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(w *wire)
		want   Verdict
	}{
		{"never", func(*wire) {}, Engaged},
		{"polled and reported before", func(w *wire) {
			w.talk(-600, outside, quarry, 110, 60, 9_000, 9_000)
			w.talk(-500, quarry, outside, 9_999, 60, 9_000, 9_000)
		}, Answered},
		{"only polled", func(w *wire) { w.talk(-600, outside, quarry, 110, 60, 9_000, 9_000) }, Engaged},
		{"only reported", func(w *wire) { w.talk(-600, quarry, outside, 9_999, 60, 9_000, 9_000) }, Engaged},
		{"polled since just before", func(w *wire) {
			w.talk(-30, outside, quarry, 110, 5, 9_000, 9_000)
			w.talk(-20, quarry, outside, 9_999, 5, 9_000, 9_000)
		}, Engaged},
		{"polled at another port", func(w *wire) {
			w.talk(-600, outside, quarry, 443, 60, 9_000, 9_000)
			w.talk(-500, quarry, outside, 9_999, 60, 9_000, 9_000)
		}, Engaged},
	} {
		w := newWire(t, profile(t, "default"))
		c.before(w)
		w.scan(0)
		w.talk(40, outside, quarry, 110, 60, 9_000, 9_000)
		w.talk(140, quarry, outside, 9_998, 60, 9_000, 9_000)
		require.Equal(t, c.want, w.closed(t).Verdict, c.name)
	}
}

func TestEngagementSaysWhat(t *testing.T) {
	w := scanned(t)
	w.talk(40, outside, quarry, 110, 60, 2_000, 3_000)
	w.talk(200, outside, quarry, 110, 20, 500, 700)
	w.talk(300, quarry, outside, 4444, 30, 10, 20)
	got := w.closed(t)
	require.Equal(t, []Engagement{
		{Src: netip.MustParseAddr(outside), Dst: netip.MustParseAddr(quarry), Port: 110, Time: Time(at(40)), Seconds: 60, Sent: 2_500, Received: 3_700},
		{Src: netip.MustParseAddr(quarry), Dst: netip.MustParseAddr(outside), Port: 4444, Time: Time(at(300)), Seconds: 30, Sent: 10, Received: 20},
	}, got.Engaged)
	require.Equal(t, 4, got.Severity)
	var about [][]string
	for _, s := range w.phase(Update) {
		if s.Verdict.rank() > Answered.rank() {
			about = append(about, s.Added)
		}
	}
	require.Equal(t, [][]string{{"verdict"}, {"verdict"}, {"engaged"}}, about, "probed, engaged, and twice as many engagements")
}

// TestProbedBeforeItOpened: what was spoken with on the way to the threshold.
func TestProbedBeforeItOpened(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 15 {
		if i == 3 {
			w.talk(float64(i), outside, quarry, uint16(100+i), 0.1, 50, 60)
			continue
		}
		w.refused(float64(i), outside, quarry, uint16(100+i))
	}
	require.Equal(t, Probed, w.closed(t).Verdict)
}

func TestEngagementsAreBounded(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 200 {
		w.refused(float64(i)/10, outside, quarry, uint16(100+i))
	}
	for i := range 200 {
		w.talk(40+float64(i)/10, outside, quarry, uint16(1000+i), 0.01, 9_000, 9_000)
	}
	got := w.closed(t)
	require.Len(t, got.Engaged, maxEngaged)
	updates := 0
	for _, s := range w.phase(Update) {
		if len(s.Added) == 1 && s.Added[0] == "engaged" {
			updates++
		}
	}
	require.Equal(t, 6, updates, "at 2, 4 … 64")
}
