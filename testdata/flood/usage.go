package main

import (
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a stretch of this process took.
type usage struct {
	cpu  time.Duration // user and system time
	gc   time.Duration // of that, collecting garbage
	wall time.Duration
}

// measured runs something and returns what it took.
func measured(do func() error) (usage, error) {
	cpu, gc, begun := ownCPU(), gcCPU(), time.Now()
	err := do()
	return usage{cpu: ownCPU() - cpu, gc: gcCPU() - gc, wall: time.Since(begun)}, err
}

// ownCPU is the user and system time this process has taken; 0 where the system does
// not say.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// gcCPU is what collecting garbage has taken of it, idle processors left out.
func gcCPU() time.Duration {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"}}
	metrics.Read(s)
	return time.Duration((s[0].Value.Float64() - s[1].Value.Float64()) * float64(time.Second))
}

// memory is the resident memory of this process in bytes, now and at most; 0 where the
// system is not Linux.
func memory() (now, peak int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kib << 10
		case "VmHWM":
			peak = kib << 10
		}
	}
	return now, peak
}
