// Command bench measures what synoptic costs: nanoseconds a packet for each
// stage of the line, and the CPU time of the whole program as a ratio to that
// of tcpdump doing the least that could find a scan. It is a benchmark, not a
// test: it judges nothing.
//
//	go run ./testdata/gen bench -o out/bench
//	go build -o bin/synoptic ./cmd/synoptic
//	go run ./testdata/bench
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// inputs are the files that the generator's bench verb writes; the stages are
// measured on stagesOn.
var inputs = []string{"mix-680.pcap", "mix-128.pcap", "scan-heavy.pcap"}

const stagesOn = "mix-128.pcap"

func main() {
	dir := flag.String("dir", "out/bench", "`directory` with the generated inputs")
	bin := flag.String("bin", "bin/synoptic", "`program` to measure")
	out := flag.String("o", "testdata/bench/last.txt", "`file` the figures are also written to")
	rounds := flag.Int("rounds", 5, "runs of each, at least 1")
	profile := flag.String("profile", "", "`file` to write a profile of the line to, in place of all else")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 {
		flag.Usage()
		os.Exit(2)
	}
	var text bytes.Buffer
	b := bench{dir: *dir, bin: *bin, rounds: *rounds, out: io.MultiWriter(os.Stdout, &text)}
	var err error
	if *profile != "" {
		err = b.profile(*profile)
	} else {
		err = errors.Join(b.run(), os.WriteFile(*out, text.Bytes(), 0o644))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

// bench is one run of the benchmark.
type bench struct {
	dir, bin string
	rounds   int
	out      io.Writer
}

// run measures the programs first: what the system reports as a program's peak
// memory is no less than that of the process which started it, so this one
// must still be small.
func (b *bench) run() error {
	for _, name := range inputs {
		if _, err := os.Stat(b.path(name)); err != nil {
			return fmt.Errorf("%w (go run ./testdata/gen bench -o %s writes it)", err, b.dir)
		}
	}
	fmt.Fprintf(b.out, "%s/%s, %d processors, %s%s\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), processor())
	return errors.Join(b.programs(), b.stages())
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// programs compares the program with tcpdump, where there is one.
func (b *bench) programs() error {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		fmt.Fprintf(b.out, "whole program: not measured, there is no tcpdump on this machine\n\n")
		return nil
	}
	if _, err := os.Stat(b.bin); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	fmt.Fprintf(b.out, "whole program: %s -r F --json, against tcpdump -r F 'tcp[13]==2' -w /dev/null\n", b.bin)
	fmt.Fprintf(b.out, "CPU is user and system time; medians of %d pairs, run in turn on %d processors\n\n", b.rounds, cores())
	fmt.Fprintf(b.out, "%-12s %9s  %-22s %-22s %-18s %-18s %-18s %s\n",
		"input", "packets", "synoptic CPU", "tcpdump CPU", "CPU ratio", "wall ratio", "garbage %", "peak memory")
	var errs []error
	for _, name := range inputs {
		if err := b.compare(tcpdump, name); err != nil {
			errs = append(errs, err)
		}
	}
	fmt.Fprintf(b.out, "\nbars: CPU ratio 1.4, 1.7 and 3.5; of the mixes, wall ratio 1.2 and garbage 2 %% of CPU\n\n")
	return errors.Join(errs...)
}

// compare prints the line of one input.
func (b *bench) compare(tcpdump, name string) error {
	file := b.path(name)
	packets, err := count(file)
	if err != nil {
		return err
	}
	ours := []string{b.bin, "-r", file, "--json"}
	theirs := []string{tcpdump, "-r", file, "tcp[13]==2", "-w", os.DevNull}
	short := strings.TrimSuffix(name, ".pcap")
	p, err := measurePairs(ours, theirs, b.rounds)
	if err != nil {
		fmt.Fprintf(b.out, "%-12s %9d  not measured: %v\n", short, packets, err)
		return err
	}
	fmt.Fprintf(b.out, "%-12s %9d  %-22s %-22s %-18s %-18s %-18s %.0f MiB\n",
		short, packets, cost(p.ours, packets), cost(p.theirs, packets), p.cpu, p.wall, p.garbage, float64(p.peak)/(1<<20))
	return nil
}

// stages measures the stages of the line in this process.
func (b *bench) stages() error {
	got, whole, err := measureStages(b.path(stagesOn), b.rounds)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "stages: %s, %d packets, one goroutine; CPU time, least of %d runs\n",
		strings.TrimSuffix(stagesOn, ".pcap"), whole.read, b.rounds)
	fmt.Fprintf(b.out, "%d packets are settled and go no further than decode; %d events reach detect; %d scans\n\n",
		whole.settled.Passed, whole.emitted, whole.opened)
	for _, s := range got {
		fmt.Fprintf(b.out, "%-8s %6.1f ns a packet\n", s.name, s.nanos)
	}
	return nil
}

// processor is the model of the first processor, where Linux tells.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return ", " + strings.TrimSpace(value)
		}
	}
	return ""
}
