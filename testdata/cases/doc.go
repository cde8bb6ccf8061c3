// Package cases holds the tests of what is hard to judge: traffic in which
// detectors blame the wrong side, the defects that shipped detectors have shown,
// and one scan by every technique. The packets are made in memory by the tests
// themselves and go through the whole line, with the default profile, over IPv4
// and IPv6 wherever a case is not about one of them.
//
// Hosts of 192.0.2.0/24 and 198.51.100.0/24 are at home, those of 203.0.113.0/24
// and, where more are needed, 198.18.0.0/15 are outside. Over IPv6 a.b.c.d is
// 2001:db8:aabb:ccdd:: with aabb and ccdd its bytes in hexadecimal digits.
//
//	hard_*_test.go        who began, and what came of it: the hard cases
//	defects_*_test.go     defects of other detectors, by number
//	crowds_test.go        many sources that are one, and many that are not
//	techniques_test.go    every technique, alone, counted exactly
//	acceptance_test.go    tables and floods of the literature
//	known_test.go         what is known to go wrong, and must still go wrong
package cases
