package app

import (
	"fmt"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// full is a bound that can be reached, and what comes of that.
type full struct {
	bound   string // as [flows.Bound] names it
	what    string
	comesOf string
	lost    func(*sensor.Summary) uint64
	// ways is set of tables in which a thing has a choice of few places, so that some are
	// lost long before all are taken: that is said when it is a tenth of what there is room for.
	ways bool
}

// fulls are all of them, in the order of the line.
func fulls() []full {
	return []full{
		{"fragments", "datagrams in fragments", "headers of others stay unread", func(s *sensor.Summary) uint64 { return s.Decode.Displaced }, false},
		{"flow table", "targets at a time", "those that are decided are forgotten first", func(s *sensor.Summary) uint64 { return s.Table.Evicted }, false},
		{"sources", "sources", "those quiet for longest are forgotten, and slow scans of theirs with them", func(s *sensor.Summary) uint64 { return s.Detect.SourcesEvicted }, false},
		{"counts", "counts of rules", "those with the fewest values are forgotten", func(s *sensor.Summary) uint64 { return s.Detect.GroupsEvicted }, false},
		{"walks", "walks", "those least far up are forgotten", func(s *sensor.Summary) uint64 { return s.Detect.WalksEvicted }, false},
		{"suspects", "suspects of slow scans", "those with the least are forgotten", func(s *sensor.Summary) uint64 { return s.Detect.SuspectsEvicted }, true},
		{"pairs", "pairs with earlier hours", "those with the least are compared with others' hours", func(s *sensor.Summary) uint64 { return s.Detect.PairsEvicted }, true},
		{"facts", "facts of a kind", "what excuses failures is forgotten, the oldest first", func(s *sensor.Summary) uint64 { return s.Detect.FactsEvicted }, true},
		{"targets of open scans", "targets of open scans", "the counts of large ones stand still, small ones close early, and both are marked as estimated", func(s *sensor.Summary) uint64 { return s.Detect.Cut }, false},
		{"watched scans", "closed scans that are watched", "those that closed first are let go", func(s *sensor.Summary) uint64 { return s.Detect.WatchesEvicted }, false},
	}
}

// degraded says of each bound, once, that it was reached.
func (a *App) degraded(s *sensor.Summary) {
	for i, f := range fulls() {
		room, lost := a.roomFor(f.bound), f.lost(s)
		if a.reached>>i&1 != 0 || lost == 0 || f.ways && lost < room/10 {
			continue
		}
		a.say.Warning(fmt.Sprintf("there is room for about %d %s: beyond, %s", room, f.what, f.comesOf))
		if a.reached == 0 {
			a.say.Hint(fmt.Sprintf("--memory is %s, and more forgets less; the run record has the counts", config.SizeText(a.plan.Memory)))
		}
		a.reached |= 1 << i
	}
}

// roomFor is how much a bound allows.
func (a *App) roomFor(name string) uint64 {
	for _, b := range a.bounds {
		if b.Name == name {
			return uint64(b.Count) //nolint:gosec // positive
		}
	}
	return 0
}
