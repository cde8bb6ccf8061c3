// Package tier finds scanners that take their time: so many distinct targets
// failed within an hour, a day, a week or 30 days.
//
// # State
//
// A suspect takes 32 bytes, whatever it does and for how long: a hash of its
// address, a linear counter of 128 bits for its targets (Whang, Vander-Zanden and
// Taylor, "A linear-time probabilistic counting algorithm for database
// applications", ACM TODS 1990), which of the last 24 hours it failed in, on how
// many days, and for the hour, the day and the week how many targets were new in the
// current one and in the one before.
//
// One counter serves all windows because it remembers for the longest. A target
// that sets a bit is new; it is then added to the counts of the current hour,
// day and week, at the number of targets that such a bit stands for. Hours, days,
// weeks and periods of 30 days are those of the clock, counted from 1970.
//
// # What is guaranteed
//
// The targets that are compared with a threshold are, by the estimate,
//
//   - Hour, Day and Week: those that were new in the current period or the one
//     before. Whatever fails within any 60 minutes (24 hours, 7 days) is counted
//     together, wherever that begins; and what is counted together lies within two
//     such periods.
//   - Month: those since the 30-day period began. A scan over its edge is counted
//     in two parts.
//
// A target is new again when the counter is emptied: when a 30-day period begins,
// and after a hit, which spends all that was counted. One who polls the same
// targets for ever therefore counts each of them once in 30 days, and a scanner
// that goes on is hit again and again: there is no muting here.
//
// So a steady scan is found within a day or so from 40 new targets a day on (one
// every ten minutes within eight hours), within a week or so from 80/7 = 11.4 a day
// on, within three weeks from 80/14 = 5.7, and in one full period of 30 days, that
// is within 60, from 150/30 = 5; with fewer it is not. At these borders the error of
// the estimate decides. Its standard deviation is 1.7 targets at 25, 2.7 at 40, 5.8
// at 80 and 11.8 at 150 in an empty counter, and about half as much again for those
// that come when it has seen a hundred already. Of sources with 6 new targets a day
// all are found, of those with 5 four in five within three months, of those with 4
// one in fifty, with 3 none.
//
// # Admission
//
// A flood of forged sources must not wash out who is suspect. While the table is
// less than half full, everybody who fails is a suspect. From then on, a source
// enters when it fails in a second hour: two Bloom filters know who failed in this
// hour, and who did in the hours before, for a week if few do and for one hour if
// many do. A source that others have seen come again is not asked. What it did until it
// enters is not counted. Where there is no slot,
// the suspect with the lowest score makes room: two days for every target, 30 days
// at most and for anybody hit, less the time since it last failed. Whose score has run out is forgotten.
//
// Addresses are not kept but as a hash of 31 bits, beside those that choose among
// buckets of eight: one source in 2^28 is taken for somebody else.
package tier
