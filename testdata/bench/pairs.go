package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// use is what one run of a program took.
type use struct {
	cpu  time.Duration // user and system
	wall time.Duration
	gc   time.Duration // of cpu, for garbage collection; 0 of what Go did not make
	peak int64         // resident memory at its largest, in bytes
}

// spread is the median of several figures, and the range they were in.
type spread struct{ median, least, most float64 }

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f-%.2f)", s.median, s.least, s.most) }

func spreadOf(v []float64) spread {
	v = slices.Sorted(slices.Values(v))
	mid := v[len(v)/2]
	if len(v)%2 == 0 {
		mid = (v[len(v)/2-1] + mid) / 2
	}
	return spread{median: mid, least: v[0], most: v[len(v)-1]}
}

// pairs is the outcome of running two programs in turn. The ratios are those
// of the pairs, not of the medians: what slows the machine down for a while
// slows both of a pair.
type pairs struct {
	ours, theirs time.Duration // median CPU
	cpu, wall    spread        // ours ÷ theirs
	garbage      spread        // percent of ours
	peak         int64         // ours, the largest, in bytes
}

// measurePairs runs two commands so many times each, changing which goes
// first.
func measurePairs(ours, theirs []string, rounds int) (pairs, error) {
	us, them := make([]use, rounds), make([]use, rounds)
	for i := range rounds {
		first, second := func() error { return runOnce(ours, &us[i]) }, func() error { return runOnce(theirs, &them[i]) }
		if i%2 == 1 {
			first, second = second, first
		}
		if err := first(); err != nil {
			return pairs{}, err
		}
		if err := second(); err != nil {
			return pairs{}, err
		}
	}
	return compare(us, them), nil
}

func compare(us, them []use) pairs {
	var p pairs
	var ours, theirs, cpu, wall, garbage []float64
	for i := range us {
		ours, theirs = append(ours, float64(us[i].cpu)), append(theirs, float64(them[i].cpu))
		cpu = append(cpu, float64(us[i].cpu)/float64(them[i].cpu))
		wall = append(wall, float64(us[i].wall)/float64(them[i].wall))
		garbage = append(garbage, 100*float64(us[i].gc)/float64(us[i].cpu))
		p.peak = max(p.peak, us[i].peak)
	}
	p.ours, p.theirs = time.Duration(spreadOf(ours).median), time.Duration(spreadOf(theirs).median)
	p.cpu, p.wall, p.garbage = spreadOf(cpu), spreadOf(wall), spreadOf(garbage)
	return p
}

// limit is how long one run may take.
const limit = 2 * time.Minute

// cores is how many processors the programs use: two, as the bar for the wall ratio has it.
func cores() int { return min(2, runtime.NumCPU()) }

// runOnce runs a command with its output thrown away. A program in Go is held to cores and
// says what it collects.
func runOnce(command []string, u *use) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.Env = append(os.Environ(), "GODEBUG=gctrace=1", "GOMAXPROCS="+strconv.Itoa(cores()))
	start := time.Now()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: took over %v", strings.Join(command, " "), limit)
		}
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(said.Bytes()))
	}
	u.wall = time.Since(start)
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.gc = collecting(said.String())
	u.peak = peakMemory(cmd.ProcessState)
	return nil
}

// collecting adds up what each line of gctrace says of CPU time, as
//
//	gc 7 @0.1s 2%: 0.02+1.2+0.004 ms clock, 0.05+0.1/1.0/0.5+0.009 ms cpu, 3->3->1 MB, …
func collecting(said string) (sum time.Duration) {
	for line := range strings.Lines(said) {
		_, after, ok := strings.Cut(line, " ms clock, ")
		parts, _, ok2 := strings.Cut(after, " ms cpu, ")
		if !ok || !ok2 || !strings.HasPrefix(line, "gc ") {
			continue
		}
		for part := range strings.FieldsFuncSeq(parts, func(r rune) bool { return r == '+' || r == '/' }) {
			ms, _ := strconv.ParseFloat(part, 64)
			sum += time.Duration(ms * float64(time.Millisecond))
		}
	}
	return sum
}

// cost says what a run took, in all and a packet.
func cost(cpu time.Duration, packets uint64) string {
	return fmt.Sprintf("%.2f s (%.0f ns a pkt)", cpu.Seconds(), float64(cpu.Nanoseconds())/float64(max(packets, 1)))
}
