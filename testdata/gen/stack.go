package main

import "github.com/google/gopacket/layers"

// stack is what can be told of an operating system from its packets.
type stack struct {
	ttl                uint8
	window, winOpen    uint16 // of the SYN; of later segments, scaled
	scale              byte
	timestamps, modern bool // modern: selective acknowledgement and scaling
	order              string
	lowPort, highPort  uint16
	scatter            bool // ephemeral ports are not counted upwards
	counter            bool // one IP identification counter for all packets
	retryRefused       bool // a refused SYN is tried three times
}

// The stacks. The letters of order are the options of a SYN in their order:
// m segment size, s SACK permitted, t time stamps, n padding, w scale, e end.
var (
	linux = stack{
		ttl: 64, window: 64240, winOpen: 502, scale: 7, timestamps: true, modern: true, order: "mstnw",
		lowPort: 32768, highPort: 60999, scatter: true,
	}
	windows = stack{
		ttl: 128, window: 64240, winOpen: 1026, scale: 8, modern: true, order: "mnwnns",
		lowPort: 49152, highPort: 65535, counter: true, retryRefused: true,
	}
	macos = stack{
		ttl: 64, window: 65535, winOpen: 2058, scale: 6, timestamps: true, modern: true, order: "mnwnntse",
		lowPort: 49152, highPort: 65535,
	}
	embedded = stack{
		ttl: 255, window: 5840, winOpen: 5840, order: "m",
		lowPort: 1024, highPort: 5000, counter: true,
	}
)

var kinds = map[byte]layers.TCPOptionKind{
	'm': layers.TCPOptionKindMSS, 's': layers.TCPOptionKindSACKPermitted, 't': layers.TCPOptionKindTimestamps,
	'n': layers.TCPOptionKindNop, 'w': layers.TCPOptionKindWindowScale, 'e': layers.TCPOptionKindEndList,
}

// synOptions are the options of a SYN, or of a SYN-ACK to a peer.
func (h *host) synOptions(t int64, echo uint32, peer *stack) []layers.TCPOption {
	var opts []layers.TCPOption
	for _, c := range []byte(h.stack.order) {
		o := layers.TCPOption{OptionType: kinds[c]}
		switch c {
		case 'm':
			mss := uint16(1460)
			if h.is6() {
				mss = 1440
			}
			o.OptionData = []byte{byte(mss >> 8), byte(mss)}
		case 't':
			if peer != nil && !peer.timestamps {
				continue
			}
			o.OptionData = stamps(h.clock(t), echo)
		case 'w':
			if peer != nil && !peer.modern {
				continue
			}
			o.OptionData = []byte{h.stack.scale}
		case 's':
			if peer != nil && !peer.modern {
				continue
			}
		}
		o.OptionLength = uint8(2 + len(o.OptionData))
		if c == 'n' || c == 'e' {
			o.OptionLength = 1
		}
		opts = append(opts, o)
	}
	return opts
}

func stamps(own, echo uint32) []byte {
	return []byte{
		byte(own >> 24), byte(own >> 16), byte(own >> 8), byte(own),
		byte(echo >> 24), byte(echo >> 16), byte(echo >> 8), byte(echo),
	}
}
