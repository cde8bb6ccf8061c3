package app

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
)

// profiling starts the profiles of the program itself that were asked for. The
// function it returns ends and writes them.
func profiling(plan config.Plan) (stop func() error, err error) {
	var cpu *os.File
	if plan.CPUProfile != "" {
		if cpu, err = os.Create(plan.CPUProfile); err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(cpu); err != nil {
			_ = cpu.Close()
			return nil, fmt.Errorf("profiling: %w", err)
		}
	}
	return func() error {
		var errs []error
		if cpu != nil {
			pprof.StopCPUProfile()
			errs = append(errs, cpu.Close())
		}
		if plan.MemProfile != "" {
			errs = append(errs, heapProfile(plan.MemProfile))
		}
		return errors.Join(errs...)
	}, nil
}

func heapProfile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC()
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}
