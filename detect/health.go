package detect

import "github.com/synoptic-ids/synoptic/flows"

// What a notice of health is about.
const (
	HealthLearning   = "learning"       // what still has to be learned: Notice.Learning
	HealthOneWay     = "one-way"        // replies by Proto are not visible
	HealthDrops      = "drops"          // Count packets were lost before the capture was written
	HealthClockJump  = "clock-jump"     // the clock of an interface was set anew, Count times
	HealthDuplicates = "duplicates"     // Count first packets came twice within a millisecond
	HealthSaturation = "saturation"     // Count targets, sources and counts were forgotten for want of room
	HealthHeartbeat  = "heartbeat"      // a run goes on: Notice.Counters
	HealthDark       = "dark"           // no packet came from First to Last; opens, and closes when there is one
	HealthFlood      = "flood"          // more sources came than there is room for: Notice.Slowest
	learnBaselines   = "baselines"      // until then, hours are compared with nothing
	learnServices    = "known services" // until then, what was not used yet is not known to work
)

// Learning is what a run has to learn before it judges as well as it can, and when
// it will have had the time for that.
type Learning struct {
	What  string `json:"what"`
	Until Time   `json:"until"`
}

// health is what the engine has said of itself.
type health struct {
	learning []Learning
	begun    bool
	shift    int64 // from the line clock to the capture's own, of the latest event
	oneWay   [flows.ClassNDP + 1]bool
}

// baselineHours is how many hours a baseline needs, see package outlier.
const baselineHours = 24

// Learning tells what the engine has to learn, after the first event.
func (e *Engine) Learning() []Learning { return e.health.learning }

// healthy says once what has to be learned, and of each protocol that its replies
// are not visible.
func (e *Engine) healthy(ev *flows.Event) {
	h := &e.health
	h.shift = ev.Start - ev.Line
	if !h.begun {
		h.begun = true
		start := Time(ev.At + ev.Start - ev.Line)
		for _, r := range e.rules {
			if r.Sigma > 0 {
				h.learning = []Learning{{learnBaselines, start + baselineHours*3600*Time(second)}}
				break
			}
		}
		h.learning = append(h.learning, Learning{learnServices, start + Time(factsLife*second)})
		n := HealthNotice(HealthLearning, start, 0)
		n.Learning = h.learning
		e.cfg.Notify(n)
	}
	if ev.Kind == flows.Counted && ev.Outcome == flows.Unseen && !h.oneWay[ev.Class] {
		h.oneWay[ev.Class] = true
		n := HealthNotice(HealthOneWay, Time(ev.At+ev.Start-ev.Line), 0)
		n.Proto = ProtoName(ev.Class)
		e.cfg.Notify(n)
	}
}

// HealthNotice is a record of the health of a run: what it is about, one of the
// words above, when, and how often.
func HealthNotice(about string, at Time, count uint64) Notice {
	return Notice{
		Event: Health, About: about, ID: noticeID(Health+NoticeKind(" "+about), &[16]byte{}, 0, int64(at)),
		Time: at, Count: count, First: at, Last: at,
	}
}
