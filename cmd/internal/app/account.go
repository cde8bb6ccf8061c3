package app

import (
	"fmt"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// maxWarnings is how many places of damage are told one by one; the account of
// the run has more.
const maxWarnings = 10

// warn says what of the input could not be read.
func (a *App) warn(s *sensor.Summary, record *output.Run) {
	ended := 0
	for i, d := range s.Damage {
		if i < maxWarnings {
			a.say.Warning(d.Error())
		}
		if !d.Resumes && i < maxWarnings {
			ended++
		}
	}
	if told := uint64(len(s.Refused) + ended); record.Broken > told {
		a.say.Warning(fmt.Sprintf("%d more inputs are damaged or no captures", record.Broken-told))
	}
	for _, l := range record.Links {
		a.say.Warning(fmt.Sprintf("%d packets of link type %s cannot be decoded", l.Frames, linkText(l)))
	}
	if record.LinksOthers > 0 {
		a.say.Warning(fmt.Sprintf("%d packets of further link types cannot be decoded", record.LinksOthers))
	}
	if record.Dropped > 0 {
		a.say.Warning(fmt.Sprintf("%d packets were lost before the capture was written", record.Dropped))
	}
}

func linkText(l output.Link) string {
	if l.Name == "" {
		return fmt.Sprint(l.Number)
	}
	return fmt.Sprintf("%d (%s)", l.Number, l.Name)
}

// refusals says which inputs are no captures.
func (a *App) refusals(s *sensor.Summary) {
	for _, r := range s.Refused {
		a.say.Error(exit.With(exit.Failed, r, nonEmpty(r.Hint)...))
	}
}

// settings says what the run works by.
func (a *App) settings() {
	if !a.plan.Verbose {
		return
	}
	names := make([]string, 0, len(a.plan.Rules.Rules))
	for _, r := range a.plan.Rules.Rules {
		names = append(names, r.Name)
	}
	home := make([]string, 0, len(a.plan.Rules.Home))
	for _, p := range a.plan.Rules.Home {
		home = append(home, p.String())
	}
	a.say.Info("reading " + strings.Join(a.plan.Inputs, ", "))
	a.say.Info(fmt.Sprintf("rules %s: %s", a.plan.RuleName, strings.Join(names, ", ")))
	a.say.Info("home " + strings.Join(home, ", "))
}

// counters says what each stage did.
func (a *App) counters(s *sensor.Summary) {
	if !a.plan.Verbose {
		return
	}
	c, d, t, e := &s.Capture, &s.Decode, &s.Table, &s.Detect
	a.say.Info(fmt.Sprintf("read: %d packets, %d bytes, %d dropped before, %d records skipped, %d without time",
		c.Packets, c.Bytes, c.Dropped, c.Skipped, c.Untimed))
	a.say.Info(fmt.Sprintf("decode: %d frames, %d packets, %d truncated, %d malformed, %d fragments, %d to groups, %d settled before the table",
		d.Frames, d.Packets, d.Truncated, d.Malformed, d.Fragments, d.Groups, s.Settled))
	a.say.Info(fmt.Sprintf("table: %d packets, %d attempts, %d connections, %d backscatter, %d mid-stream, %d evicted (%d undecided), %d clock jumps, %d entries",
		t.Packets, t.Attempts, t.Connections, t.Backscatter, t.MidStream, t.Evicted, t.EvictedLive, t.ClockJumps, t.Entries))
	a.say.Info(fmt.Sprintf("detect: %d scans opened, %d closed, %d sources (%d evicted), %d counts (%d evicted), %d held back by guards",
		e.Opened, e.Closed, e.Sources, e.SourcesEvicted, e.Groups, e.GroupsEvicted, e.Guarded))
}
