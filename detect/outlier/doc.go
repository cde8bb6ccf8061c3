// Package outlier finds the hour in which a pair of hosts does far more than it
// ever did: more distinct values (ports, say) than the mean of its earlier hours
// and seven standard deviations.
//
// The idea is that of a search published for Splunk ("mean + 7 sigma" of ports
// per pair of hosts). What it takes to mean it:
//
//   - The hour under test is no part of its own baseline. If it were, no value
//     among n could be more than (n-1)/√n standard deviations from their mean
//     (Samuelson 1968): 7 could not be exceeded with 50 hours or fewer.
//   - Hours without any traffic count, as zeros, once the pair is known.
//   - A value goes into the baseline clipped to what was the threshold. One scan
//     of a thousand ports would otherwise hide one of a hundred two days later.
//   - There are at least 24 earlier hours. While a pair has fewer, it is compared
//     with the source's hours, then the destination's, then the site's.
//   - Nothing below a floor is found, for seven standard deviations of a pair
//     that says one thing an hour are nothing.
//
// Mean and variance are Welford's (1962) for the first 24 hours and exponentially
// weighted (Finch, "Incremental calculation of weighted mean and variance", 2009)
// from then on, with a memory of some fifty hours. On heavy-tailed counts seven
// standard deviations are not rare: a few hours in a thousand exceed them. The
// floor carries much of the precision.
//
// The package knows nothing of networks: keys are hashes made by the caller.
// Floating-point operations are in fixed order and never fused, so that equal
// input gives equal bits on every machine. Everything is allocated by [New].
package outlier
