// Command flood measures what is left of detection in a flood of forged sources:
// scanners of all sizes among millions of sources that send one SYN each, and
// ordinary hosts. It makes the packets in memory, takes them through the whole line,
// and prints how many of the scanners were found, who was named besides, how exact
// the records are, and the memory and time it took.
//
//	go run ./testdata/flood [-spoofed 10000000] [-span 1h] [-distinct] [-fast 100] …
//	go run ./testdata/flood -growth
//	go run ./testdata/flood -soak 20m
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	var m model
	flag.IntVar(&m.spoofed, "spoofed", 10_000_000, "forged `sources`, with one SYN each")
	flag.IntVar(&m.hosts, "hosts", 200_000, "ordinary `hosts`")
	flag.IntVar(&m.scanners, "scanners", 5_000, "`scanners`, half of them in a twelfth of the span")
	flag.IntVar(&m.least, "least", 20, "`targets` of the smallest scanner")
	flag.IntVar(&m.most, "most", 20_000, "`targets` of the largest scanner")
	flag.DurationVar(&m.span, "span", time.Hour, "`time` that all of it takes, by the packets' clock")
	flag.BoolVar(&m.distinct, "distinct", false, "a target for each forged SYN; otherwise one for all")
	flag.Uint64Var(&m.seed, "seed", 1, "`number` that everything is drawn by")
	flag.Int64Var(&m.memory, "memory", 256, "MiB for what is remembered, as --memory of synoptic")
	var b bars
	flag.IntVar(&b.fast, "fast", 0, "fail unless so many `percent` are found of the scanners of 40 targets and more that took five minutes at most")
	flag.IntVar(&b.slow, "slow", 0, "the same of those that took longer, in `percent`")
	flag.Int64Var(&b.resident, "resident", 0, "fail if the peak of the resident memory is more `MiB`; 0: any will do")
	growing := flag.Bool("growth", false, "print what a packet costs as more and more tuples come, up to 16 times 2^20")
	soaking := flag.Duration("soak", 0, "`time`, by the clock on the wall, to go on for with one flood after the other")
	flag.Parse()
	err := m.check()
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("%q is no flag", flag.Arg(0))
	case err != nil:
	case *growing:
		err = growth(os.Stdout, m.memory, 24)
	case *soaking > 0:
		err = soak(os.Stdout, m, *soaking, time.Minute)
	default:
		err = once(os.Stdout, m, b)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood: error:", err)
		os.Exit(1)
	}
}

// once runs a flood, prints what came of it, and holds it against bars.
func once(w io.Writer, m model, b bars) error {
	o, err := run(m)
	if err != nil {
		return err
	}
	if err := o.print(w); err != nil {
		return err
	}
	_, peak := memory()
	return o.hold(b, peak)
}
