package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/privilege"
)

// confine gives up what a run without end does not need any more when everything is open. One
// that ends by itself opens its inputs as it comes to them, wherever they are.
func (a *App) confine() error {
	if !a.plan.Live() {
		return nil
	}
	_, counts := a.source.(counter)
	cfg := folders(&a.plan, counts)
	kept, err := privilege.Drop(cfg)
	if err != nil {
		return exit.With(exit.Failed, err, "without that it does not run for long; please report it")
	}
	if !a.plan.Verbose {
		return nil
	}
	files := "all files that the user can open, for the system cannot keep them from it"
	if kept.Files != "" {
		files = fmt.Sprintf("to read %s; to write %s (%s)", list(cfg.Read), list(cfg.Write), kept.Files)
	}
	a.say.Info("kept files: " + files)
	a.say.Info("kept capabilities: " + list(strings.Fields(kept.Capabilities)))
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// folders are those that a run goes on to need: of the rules, that they can be read again; of
// what is followed, for files that appear; of outputs, that they can be opened anew. counts
// is whether a program in the kernel is to be asked for its counts.
func folders(plan *config.Plan, counts bool) privilege.Config {
	cfg := privilege.Config{Capture: len(plan.Devices) > 0 && !counts, Count: counts}
	for _, file := range []string{plan.From.Rules, plan.From.Allow} {
		cfg.Read = append(cfg.Read, around(file)...)
	}
	for _, in := range plan.Inputs {
		if info, err := os.Stat(in); err == nil && info.IsDir() {
			cfg.Read = append(cfg.Read, in)
		} else if in != "-" {
			cfg.Read = append(cfg.Read, around(in)...)
		}
	}
	if plan.Listen != "" {
		cfg.Read = append(cfg.Read, "/proc/self") // what the process takes is one of the metrics
	}
	for _, out := range plan.Outputs {
		cfg.Write = append(cfg.Write, around(out.Path)...)
	}
	cfg.Write = append(cfg.Write, around(plan.MemProfile)...)
	cfg.Write = append(cfg.Write, withParent(plan.Evidence)...)
	cfg.Write = append(cfg.Write, around(plan.State)...)
	for _, names := range []*[]string{&cfg.Read, &cfg.Write} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return cfg
}

// withParent are a folder and, so that it can be made anew if it is removed, the one it is in;
// but for the root of all files, which would be no bound at all.
func withParent(dir string) []string {
	if dir == "" {
		return nil
	}
	names := []string{dir}
	for _, parent := range around(dir) {
		if abs, err := filepath.Abs(parent); err == nil && filepath.Dir(abs) != abs {
			names = append(names, parent)
		}
	}
	return names
}

// around are the folder of a file, where another may take its name, and that of what it is a
// link to.
func around(file string) []string {
	if file == "" {
		return nil
	}
	names := []string{filepath.Dir(file)}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		names = append(names, filepath.Dir(target))
	}
	return names
}
