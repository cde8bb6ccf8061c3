package lab

import "github.com/synoptic-ids/synoptic/testdata/netns"

// namespace is a network namespace, which a host of the lab is.
type namespace struct{ *netns.NS }
