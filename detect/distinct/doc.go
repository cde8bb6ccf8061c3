// Package distinct counts distinct items in little memory that does not grow with
// them: those of the latest minutes ([Window]), and all of them ([Total]).
//
// Items are given as hashes of 32 bits. Both counts are estimates, the same for the
// same items on every machine.
//
// A Window is a linear counter: a bitmap of 512 bits for each of two halves. With n items
// the expected share of bits that stay zero is e^(-n/512), so that n is estimated
// as -512 ln(zeros/512) (Whang, Vander-Zanden, Taylor, 1990). The
// standard error is 3 % at 128 items and 5 % at 1,024; it is full at about 3,000.
//
// A Total is a HyperLogLog of 1,024 registers (Flajolet and others, 2007), with a linear
// counter of its registers for small numbers: a standard error of 3.3 %.
package distinct
