package main

import (
	"errors"
	"fmt"
	"time"
)

// bars are what must hold of a flood. Whoever is named that did not scan is one too many
// in any case.
type bars struct {
	fast, slow int   // percent of the scanners of asked targets and more, see [scanner.fast]
	resident   int64 // MiB at most; 0: any
}

// asked is how many targets a scanner has at least for its loss to count.
const asked = 40

// fast reports whether a scanner takes five minutes at most.
func (s *scanner) fast() bool { return int64(s.targets)*s.gap <= int64(5*time.Minute) }

// hold says what of the bars does not hold, given the peak of the resident memory in bytes.
func (o *outcome) hold(b bars, peak int64) error {
	var all []error
	fail := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, p := range []struct {
		name  string
		fast  bool
		least int
	}{{"fast", true, b.fast}, {"slow", false, b.slow}} {
		if found, of := o.caught(p.fast); 100*found < p.least*of {
			fail("found %d of %d %s scanners of %d targets or more, not %d %%", found, of, p.name, asked, p.least)
		}
	}
	if wrong := o.spoofed + o.hosts + o.others; wrong > 0 {
		fail("named %d that did not scan", wrong)
	}
	if most := b.resident << 20; most > 0 && peak > most {
		fail("the resident memory came to %d MiB, more than %d", (peak+1<<20-1)>>20, b.resident)
	}
	return errors.Join(all...)
}

// caught counts the scanners that matter of a pace, and of them those that were found.
func (o *outcome) caught(fast bool) (found, of int) {
	for i := range o.scanners {
		if s := &o.scanners[i]; s.targets >= asked && s.fast() == fast {
			of++
			if o.times[i] > 0 {
				found++
			}
		}
	}
	return found, of
}
