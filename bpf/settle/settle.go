// Package settle drops in the kernel what the line would pass over unread: segments of
// TCP conversations that are settled, as [flows.Settled] has it or a segment later, from which
// nothing more is to be learned. Handshakes, the first payload each way, and whatever has SYN, FIN or
// RST come through, and so do FTP's orders, fragments, tunnels, and all that is not plain
// TCP over IPv4 or IPv6 over Ethernet.
//
// It goes by what it sees itself, and not by what was read of it. Where packets were lost
// between the two, [Program.Forget] makes it begin anew.
package settle

import "errors"

// ErrUnsupported is returned by [Load] where the system has no such programs.
var ErrUnsupported = errors.New("only Linux drops packets by such a program")
