// Package walk tells from a source's first contacts alone, without any window
// of time, whether it knows whom it addresses.
//
// A [Walk] is the threshold random walk of Jung, Paxson, Berger and
// Balakrishnan ("Fast Portscan Detection Using Sequential Hypothesis Testing",
// IEEE S&P 2004) in the reflected form that Schechter, Jung and Berger ("Fast
// Detection of Scanning Worm Infections", RAID 2004) read backwards: a
// likelihood ratio that is never let below one, so that a long good history
// cannot be saved up and spent on a scan. If an ordinary source succeeds at a
// first contact with probability 0.8 and a scanner with 0.2, a failure
// multiplies the ratio by 4 and a success by 1/4. Its logarithm to the base 4 is
// then a whole number, and that is all the state there is.
//
// Mell and Harang ("Evasion-resistant network scan detection", 2015) showed how
// to walk past it: a probe of a service known to be open for every other probe
// leaves the walk where it was. What counts distinct failed targets alone, as the
// slow tiers beside this package do, cannot be evaded so.
//
// A walk does not lock, allocate or hold pointers.
package walk
