// Package gate tells, of sources that there is no room to remember, those that try
// several targets. A flood of forged sources brings millions that try one each; what is
// remembered of them here are shared bits. A source that is let in gets a record, and
// is judged by what it does from then on: the gate admits, and never accuses.
//
// # State
//
// Two rows of cells, and a cell of each for a source, by keyed hash of its address. A
// cell is 16 bytes: two words of 64 bits, one for each of two generations. A failed
// target sets a bit in both words of both cells, chosen by a hash of the target without the
// source: so that all of a flood at one target sets the same bit everywhere, and
// takes no room, however long it lasts.
//
// Generations begin half of their life apart, and the elder of the two is asked, so that
// what a source did within any half of a life is seen together. A generation ends after
// an hour, or when three bits a cell were set for it, whichever is first.
//
// # Admission
//
// A source is let in when both of its cells have so many bits set: from two to ten, as few
// as let in no more than one in eight of those that try one target. That follows from how
// many cells have how many bits, which is counted. By three bits a cell, six are enough.
// The cells of a source hold others' bits too, so that a number of targets told by them,
// [Gate.Admits]'s credit, is an estimate.
package gate
