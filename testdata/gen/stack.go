package main

import "github.com/synoptic-ids/synoptic/testdata/wire"

// stack is what can be told of an operating system from its packets.
type stack = wire.Stack

var (
	linux    = wire.Linux()
	windows  = wire.Windows()
	macos    = wire.MacOS()
	embedded = wire.Embedded()
)

// synOptions are the options of a SYN, or of a SYN-ACK to a peer.
func (h *host) synOptions(t int64, echo uint32, peer *stack) []byte {
	return h.stack.SYN(nil, h.is6(), h.clock(t), echo, peer)
}
