package sensor

import "github.com/synoptic-ids/synoptic/detect"

// lostShare is the share of packets, one in so many, from which on it is told at a heartbeat
// that some were lost.
const lostShare = 100

// heart tells at intervals of the line clock how a run is doing.
type heart struct {
	every      int64 // 0: never
	begun, due int64
	last       Summary // at the heartbeat before
	dark       int64   // since when no packet came; 0: packets come
	doubled    bool    // it was told that frames come twice
}

// beat tells how the run is doing, if it is time. What the reader has counted may be of a
// moment that is a batch ahead.
func (s *Sensor) beat(now int64) {
	h := &s.heart
	if h.every == 0 || now < h.due || now == 0 {
		return
	}
	if h.due > 0 {
		sum := s.Snapshot()
		s.watch(&sum, now)
		n := condition(detect.HealthHeartbeat, 0, h.begun, now)
		n.Counters = counters(&sum)
		s.cfg.OnNotice(n)
		h.last = sum
	}
	h.begun, h.due = now, now+h.every
}

// condition is what held from one moment to another.
func condition(about string, count uint64, from, to int64) detect.Notice {
	n := detect.HealthNotice(about, detect.Time(from), count)
	n.Time, n.Last = detect.Time(to), detect.Time(to)
	return n
}

func counters(sum *Summary) *detect.Counters {
	return &detect.Counters{
		Packets: sum.Capture.Packets, Bytes: sum.Capture.Bytes, Dropped: sum.Capture.Dropped, Attempts: sum.Table.Attempts,
		Opened: sum.Detect.Opened, Closed: sum.Detect.Closed, Forgotten: sum.forgotten(), Sources: sum.Detect.Sources,
	}
}

// watch tells what has gone wrong since the heartbeat before.
func (s *Sensor) watch(sum *Summary, now int64) {
	h := &s.heart
	say := func(about string, count uint64, from int64, phase detect.Phase) {
		n := condition(about, count, from, now)
		n.Phase = phase
		s.cfg.OnNotice(n)
	}
	packets, lost := sum.Capture.Packets-h.last.Capture.Packets, sum.Capture.Dropped-h.last.Capture.Dropped
	switch {
	case packets == 0 && h.dark == 0:
		h.dark = h.begun
		say(detect.HealthDark, 0, h.dark, detect.Open)
	case packets > 0 && h.dark > 0:
		say(detect.HealthDark, 0, h.dark, detect.Close)
		h.dark = 0
	}
	if lost > 0 && lost*lostShare >= packets+lost {
		say(detect.HealthDrops, lost, h.begun, "")
	}
	if n := sum.Table.ClockJumps - h.last.Table.ClockJumps; n > 0 {
		say(detect.HealthClockJump, n, h.begun, "")
	}
	if !h.doubled && sum.doubled() {
		h.doubled = true
		say(detect.HealthDuplicates, sum.Table.Doubled, h.begun, "")
	}
	if n := sum.forgotten() - h.last.forgotten(); n > 0 {
		say(detect.HealthSaturation, n, h.begun, "")
	}
}
