package main

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
)

// ourNets are the networks of ours.
func ourNets() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")} }

// sizes are the classes of scanners by targets: each up to the next.
var sizes = [...]int{0, 40, 200, 2000, math.MaxInt}

// recall counts the scanners of a size and a pace, and of them those that were found.
func (o *outcome) recall(least, most int, spread bool) (found, of int) {
	for i := range o.scanners {
		s := &o.scanners[i]
		if s.targets < least || s.targets >= most || s.spread != spread {
			continue
		}
		of++
		if o.times[i] > 0 {
			found++
		}
	}
	return found, of
}

// exactness is how the records of the scanners found compare with what they did.
type exactness struct {
	records   int
	exact     [4]int // targets, hosts, ports, outcomes
	near      [3]int // of the first three, within 2 %
	worst     float64
	estimated int // marked as such
	silent    int // wrong by more than 2 %, and not marked
	again     int // named in more than one scan
}

func (o *outcome) exactness() exactness {
	var x exactness
	for i := range o.scanners {
		got := &o.found[i]
		if o.times[i] == 0 {
			continue
		}
		x.records++
		if o.times[i] > 1 {
			x.again++
		}
		if got.Estimated {
			x.estimated++
		}
		s, off := &o.scanners[i], 0.0
		for f, v := range [3][2]int{{got.Targets, s.targets}, {got.Hosts, s.hostsTried()}, {got.Ports, s.ports}} {
			d := math.Abs(float64(v[0]-v[1])) / float64(v[1])
			off = max(off, d)
			if d == 0 {
				x.exact[f]++
			}
			if d <= 0.02 {
				x.near[f]++
			}
		}
		if off > 0.02 && !got.Estimated && o.times[i] == 1 {
			x.silent++
		}
		x.worst = max(x.worst, off)
		if got.Outcomes == s.outcomes() {
			x.exact[3]++
		}
	}
	return x
}

// outcomes are those of all targets of a scanner.
func (s *scanner) outcomes() (o detect.Outcomes) {
	for k := range s.targets {
		switch reply(s.target(k)) {
		case 0:
			o.Silent++
		case syn | ack:
			o.Answered++
		default:
			o.Refused++
		}
	}
	return o
}

// print writes the account of a flood.
func (o *outcome) print(w io.Writer) error {
	var b strings.Builder
	to := "one target"
	if o.m.distinct {
		to = "a target each"
	}
	fmt.Fprintf(&b, "%d forged sources in %v to %s, %d ordinary hosts, %d scanners of %d to %d targets; %d MiB\n",
		o.m.spoofed, o.m.span, to, o.m.hosts, o.m.scanners, o.m.least, o.m.most, o.m.memory)
	o.printRecall(&b)
	fmt.Fprintf(&b, "named besides: %d forged sources, %d ordinary hosts, %d others\n", o.spoofed, o.hosts, o.others)
	x := o.exactness()
	fmt.Fprintf(&b, "of %d records: exact in targets %d, hosts %d, ports %d, outcomes %d; within 2 %% %d, %d, %d; furthest off %.0f %%\n",
		x.records, x.exact[0], x.exact[1], x.exact[2], x.exact[3], x.near[0], x.near[1], x.near[2], 100*x.worst)
	fmt.Fprintf(&b, "marked as estimated %d; off by more than 2 %%, in one scan and not marked %d; in several scans %d\n", x.estimated, x.silent, x.again)
	t, d := &o.summary.Table, &o.summary.Detect
	fmt.Fprintf(&b, "forgotten for want of room: %d targets (%d undecided), %d sources, %d counts\n", t.Evicted, t.EvictedLive, d.SourcesEvicted, d.GroupsEvicted)
	_, peak := memory()
	n := float64(max(o.summary.Capture.Packets, 1))
	fmt.Fprintf(&b, "%.1f M packets: %.0f ns of CPU each, %.0f of them to make it; %.1f %% collecting garbage; %.1f s; peak resident memory %d MiB\n",
		n/1e6, float64(o.used.cpu)/n, float64(o.making.cpu)/n, 100*o.used.gc.Seconds()/max(o.used.cpu.Seconds(), 1e-9), o.used.wall.Seconds(), peak>>20)
	_, err := io.WriteString(w, b.String())
	return err
}

// printRecall writes how many scanners were found, by size and pace.
func (o *outcome) printRecall(b *strings.Builder) {
	fmt.Fprintf(b, "found of scanners by targets: ")
	for i, least := range sizes[:len(sizes)-1] {
		switch most := sizes[i+1]; most {
		case math.MaxInt:
			fmt.Fprintf(b, "%14s", fmt.Sprintf("from %d", least))
		default:
			fmt.Fprintf(b, "%14s", fmt.Sprintf("below %d", most))
		}
	}
	fmt.Fprintln(b)
	for _, spread := range []bool{false, true} {
		pace := fmt.Sprintf("  within %v", o.m.span/12)
		if spread {
			pace = fmt.Sprintf("  over %v", o.m.span)
		}
		fmt.Fprintf(b, "%-30s", pace)
		for i, least := range sizes[:len(sizes)-1] {
			found, of := o.recall(least, sizes[i+1], spread)
			fmt.Fprintf(b, "%14s", fmt.Sprintf("%d/%d", found, of))
		}
		fmt.Fprintln(b)
	}
}
