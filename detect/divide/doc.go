// Package divide finds sources that have divided a set of targets among them.
//
// Each of them tries too little to be noticed: four ports of a host, two hosts. What tells
// them from as many strangers is that hardly two try the same. Strangers choose by
// themselves, and where many choose within a small range, some choose alike; the clients of
// a service that has failed even all do. A division is claimed where so few overlap as would by
// chance happen once in a million.
//
// # The test
//
// Under a [Key] are the ports of a host, or the hosts on a port. Of those who tried at least two
// targets there, within the window, those with more than a third of all targets are left out:
// they are scanners of their own, and a crowd's largest member has a third at most. At least
// ten must remain. The targets are looked at in blocks of 256 ports or addresses, each no longer
// than from its lowest to its highest target. Had two sources, with n and m targets in r and s runs of
// neighbours, each put its runs anywhere in a block of length N, they would have met with
// probability (rm + sn - rs) / N or nearly so. From the sum over all pairs follows how many
// of the sources should share a target with another (expected), and from how many do (shared) how
// unlikely that is: by half the Kullback-Leibler divergence of the two shares times the
// number of sources, half because two share at a time. That must reach 14, or one in 10^6, and
// four in five must share nothing at all.
//
// # What it cannot find
//
// Targets so far apart that strangers would not meet either: a thousand hosts of a /8. And crowds
// whose members try one target each, for that cannot be told from forged sources. Sources that only use
// the same tool, or the same constants of a tool, are no crowd: half of the Internet's noise does.
package divide
