package sensor

import "github.com/synoptic-ids/synoptic/detect"

// Frames are taken to come twice, as from a mirror port that sends what comes in and
// what goes out, if one in ten connections does, and twenty in all. No network stack
// repeats a packet within a millisecond (RFC 6298), nor with the same identification.
const (
	doubledLeast = 20
	doubledShare = 10
)

// health says at the end what was wrong with the run.
func (s *Sensor) health(sum *Summary) {
	if s.cfg.OnNotice == nil {
		return
	}
	say := func(about string, count uint64) {
		if count > 0 {
			s.cfg.OnNotice(detect.HealthNotice(about, sum.Last, count))
		}
	}
	say(detect.HealthDrops, sum.Capture.Dropped)
	say(detect.HealthClockJump, sum.Table.ClockJumps)
	if sum.doubled() {
		say(detect.HealthDuplicates, sum.Table.Doubled)
	}
	say(detect.HealthSaturation, sum.forgotten())
}

// doubled is whether frames come twice.
func (sum *Summary) doubled() bool {
	t := &sum.Table
	return t.Doubled >= doubledLeast && t.Doubled*doubledShare >= t.Connections
}

// forgotten counts what should have been remembered.
func (sum *Summary) forgotten() uint64 {
	return sum.Table.EvictedLive + sum.Detect.SourcesEvicted + sum.Detect.GroupsEvicted + sum.Detect.WalksEvicted
}
