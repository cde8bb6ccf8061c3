package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
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
			if format, ok := errors.AsType[*capture.FormatError](d.Err); ok && format.Hint != "" {
				a.say.Hint(format.Hint)
			}
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
	a.degraded(s)
	if record.Dropped > 0 {
		a.say.Warning(fmt.Sprintf("%d packets were lost in capturing", record.Dropped))
	}
}

func linkText(l output.Link) string {
	if l.Name == "" {
		return fmt.Sprint(l.Number)
	}
	return fmt.Sprintf("%d (%s)", l.Number, l.Name)
}

func tunnelText(tunnels []output.Tunnel) string {
	if len(tunnels) == 0 {
		return "none"
	}
	parts := make([]string, 0, len(tunnels))
	for _, t := range tunnels {
		parts = append(parts, fmt.Sprintf("%d %s", t.Packets, t.Name))
	}
	return strings.Join(parts, ", ")
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
	a.say.Info("reading " + strings.Join(a.plan.Sources(), ", "))
	a.say.Info(fmt.Sprintf("rules %s: %s", a.plan.RuleName, strings.Join(names, ", ")))
	a.say.Info("home " + strings.Join(home, ", "))
	for _, entry := range a.plan.Rules.Allow {
		a.say.Info("allow " + entry.Name + ": " + entry.Describe())
	}
	if a.plan.Filter != nil {
		a.say.Info("filter " + a.plan.Filter.String())
	}
}

// inexact hints at what rules cannot count exactly within the memory: always where they are
// the user's own, else with --verbose.
func (a *App) inexact() {
	if a.plan.From.Rules == "" && !a.plan.Verbose {
		return
	}
	hints, _ := config.Inexact(a.plan.Rules, a.plan.Memory) // which loading them had no error of
	a.say.Inexact(hints)
}

// hidden warns of a filter that leaves replies out: what was answered then
// looks as if it was not.
func (a *App) hidden() {
	if a.plan.Filter == nil {
		return
	}
	hides := a.plan.Filter.Hides()
	if len(hides) == 0 {
		return
	}
	a.say.Warning(fmt.Sprintf("the filter keeps only part of what hosts say to each other (%s: %s), so that outcomes and verdicts cannot be trusted",
		hides[0].Part, hides[0].Why))
	a.say.Hint("filter by hosts, networks and ports without src, dst, flags or lengths; 'synoptic filter EXPRESSION' explains")
}

// counters says what each stage did.
func (a *App) counters(s *sensor.Summary, record *output.Run) {
	c, d, t, e := &s.Capture, &s.Decode, &s.Table, &s.Detect
	a.say.Info(fmt.Sprintf("read: %d packets, %d bytes, %d dropped before, %d records skipped, %d without time, %d files passed over",
		c.Packets, c.Bytes, c.Dropped, c.Skipped, c.Untimed, c.Foreign))
	a.kernel(s)
	a.say.Info(fmt.Sprintf("decode: %d frames, %d packets, %d truncated, %d malformed, %d fragments, %d to groups, %d settled before the table",
		d.Frames, d.Packets, d.Truncated, d.Malformed, d.Fragments, d.Groups, s.Settled))
	a.say.Info(fmt.Sprintf("fragments: %d headers put together, %d contradict others, %d read in two ways, %d incomplete, %d displaced",
		d.Joined, d.Overlaid, d.Doubled, d.Incomplete, d.Displaced))
	a.say.Info(fmt.Sprintf("tunnels: %s; %d carriers, %d cut, %d too deep, %d without IP",
		tunnelText(record.Tunnels), d.Carriers, d.TunnelsCut, d.TunnelsTooDeep, d.TunnelsNoIP))
	a.say.Info(fmt.Sprintf("table: %d packets, %d attempts, %d connections, %d backscatter, %d mid-stream, %d evicted (%d undecided), %d clock jumps, %d entries",
		t.Packets, t.Attempts, t.Connections, t.Backscatter, t.MidStream, t.Evicted, t.EvictedLive, t.ClockJumps, t.Entries))
	a.say.Info(fmt.Sprintf("detect: %d scans opened, %d closed, %d watched (%d evicted), %d reopened, %d sources (%d evicted), %d counts (%d evicted), %d held back by guards; gate asked %d times, %d let in at %d bits",
		e.Opened, e.Closed, e.Watches, e.WatchesEvicted, e.Reopened, e.Sources, e.SourcesEvicted, e.Groups, e.GroupsEvicted, e.Guarded,
		e.Gate.Asked, e.Gate.Admitted, e.Gate.Bits))
}
