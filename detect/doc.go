// Package detect decides who scans whom.
//
// An [Engine] takes the events of flows.Table, counts distinct targets by the
// [Rules] it was given, and reports each incident as [Scan] records: open,
// update, close. It works on the time of the packets alone; the same events
// give the same records.
//
// What may accuse a source is narrow. A rule counts attempts that were
// unproductive, unless it says otherwise; a host with which the source had a
// productive conversation is not swept by it; and where a rule asks for a
// share, enough of what the source tried in the same way must have failed. What is
// no search is no evidence either: see excuse, weigh and weighs, each of which has
// tests that name a scanner beside what it spares.
//
// Beside rules with windows there are three that take longer: a walk that failed
// first contacts climb and successes go down (package walk), hours far above the
// earlier ones (package outlier), and counts over hours to a month in little memory
// (package tier).
//
// Two findings are of many sources, whose attempts make up one scan: decoys, which send the
// same probes (package marks), and those who have divided a target set among them (package
// divide).
package detect
