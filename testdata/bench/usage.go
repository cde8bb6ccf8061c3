package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

// ownCPU is the user and system time this process has taken.
func ownCPU() (time.Duration, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, err
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}

// peakMemory is the largest resident memory of a finished process, in bytes; 0
// if the system does not say.
func peakMemory(p *os.ProcessState) int64 {
	r, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(r.Maxrss) //nolint:unconvert // 32 bits on some systems
	}
	return int64(r.Maxrss) << 10 //nolint:unconvert // others say KiB
}
