package app

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
)

const (
	// garbage is what may lie about on top of the budget before it is collected in any
	// case.
	garbage = 24 << 20
	// collectAt is how many percent the heap grows by before it is collected, as long
	// as it is small. With Go's own 100 collecting takes 4.5 % of the time of ordinary
	// traffic, with 400 below 1 %.
	collectAt = 400
)

// collect has the garbage collector keep to the budget, unless the environment tells it
// otherwise, and returns what undoes that.
func (a *App) collect() (undo func()) {
	percent, limit := collectAt, a.plan.Memory*int64(1+a.engines)+garbage
	if os.Getenv("GOGC") != "" {
		percent = debug.SetGCPercent(-1)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		limit = -1 // which only asks
	}
	a.limit = max(limit, 0)
	percent, limit = debug.SetGCPercent(percent), debug.SetMemoryLimit(limit)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// makeRoom allows for so many bytes that are held beside the budget. Without it they would take the place of
// what may lie about, and where they are more than that, it would be collected all the time.
func (a *App) makeRoom(bytes int) {
	if a.limit > 0 && bytes != a.room {
		a.room = bytes
		debug.SetMemoryLimit(a.limit + int64(bytes))
	}
}

// budget says how the memory is divided.
func (a *App) budget() {
	if !a.plan.Verbose {
		return
	}
	total := int64(0)
	for _, b := range a.bounds {
		total += b.Bytes()
	}
	a.say.Info(fmt.Sprintf("memory %s, of which at most %.1f MiB in bounded tables:", config.SizeText(a.plan.Memory), mebibytes(total)))
	for _, b := range a.bounds {
		a.say.Info(fmt.Sprintf("memory: %s: %d of %d bytes, %.1f MiB", b.Name, b.Count, b.Each, mebibytes(b.Bytes())))
	}
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
