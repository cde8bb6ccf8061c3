// Package metrics tells others how a run is doing, by HTTP: counters for Prometheus, and
// whether the run is alive and ready.
//
// No metric has an address or a port as a label, for scanners choose those. Every series is
// there from the start, so that an alert can tell nothing happened from nothing known.
package metrics
