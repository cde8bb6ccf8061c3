package app

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
)

// tick is how often output is flushed and progress drawn anew.
const tick = 200 * time.Millisecond

// bar shows progress on standard error. What is written through [bar.above] to
// the same terminal takes the bar away first; the next tick draws it again
// below.
type bar struct {
	mu    sync.Mutex
	wants bool
	w     io.Writer
	draw  *progressbar.ProgressBar // nil: nothing is drawn
	shown bool
	// onTerminal tells writers to a terminal, where the bar may be in the way.
	onTerminal func(io.Writer) bool
}

func newBar(stderr io.Writer, plan config.Plan) *bar {
	wants := plan.Progress == config.Always || plan.Progress == config.Auto && isTerminal(stderr)
	return &bar{w: stderr, wants: wants && !plan.Quiet, onTerminal: isTerminal}
}

// reading tells how far it has come.
type reading interface {
	Stats() (capture.Stats, error)
}

// start begins to tick: each time, flush is called and progress drawn. The
// function it returns ends that and takes the bar away.
func (b *bar) start(source reading, flush func()) (stop func()) {
	if stats, err := source.Stats(); b.wants && err == nil && stats.Total > 0 {
		b.draw = progressbar.NewOptions64(stats.Total,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionSetDescription("reading"),
			progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(20),
			progressbar.OptionUseANSICodes(true),
		)
	}
	ended := every(tick, func() {
		flush()
		b.update(source)
	})
	return func() {
		ended()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.clear()
		b.draw = nil
	}
}

func (b *bar) update(source reading) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.draw == nil {
		return
	}
	stats, err := source.Stats()
	if err != nil || stats.Offset >= stats.Total {
		return // at its maximum the bar would call itself finished
	}
	_ = b.draw.Set64(stats.Offset)
	if !b.shown {
		b.shown = true
		_ = b.draw.RenderBlank() // Set64 draws only what has changed
	}
}

func (b *bar) clear() {
	if b.draw != nil && b.shown {
		_ = b.draw.Clear()
		b.shown = false
	}
}

// above makes a writer whose output takes the place of the bar.
func (b *bar) above(w io.Writer) io.Writer { return &aboveBar{b, w} }

type aboveBar struct {
	b *bar
	w io.Writer
}

func (a *aboveBar) Write(p []byte) (int, error) {
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	if a.b.onTerminal(a.w) {
		a.b.clear()
	}
	return a.w.Write(p)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colored decides about colours. NO_COLOR (no-color.org) and dumb terminals
// turn them off unless they were asked for.
func colored(m config.Mode, terminal bool) bool {
	switch m {
	case config.Always:
		return true
	case config.Never:
		return false
	default:
		return terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
}
