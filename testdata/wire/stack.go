package wire

import "encoding/binary"

// Stack is what can be told of an operating system from its packets.
type Stack struct {
	TTL             uint8
	Window, WinOpen uint16 // of the SYN; of later segments, scaled
	Scale           byte
	// Timestamps is whether it has the option; Modern the same of selective
	// acknowledgement and scaling.
	Timestamps, Modern bool
	// Order is the options of a SYN: m segment size, s SACK permitted, t time stamps, n
	// padding, w scale, e end.
	Order             string
	LowPort, HighPort uint16 // of its ephemeral ports, the latter not included
	Scatter           bool   // which are not counted upwards
	Counter           bool   // one IP identification counter for all packets
	RetryRefused      bool   // a refused SYN is tried three times
}

// Linux is its stack since 2019 or so.
func Linux() Stack {
	return Stack{
		TTL: 64, Window: 64240, WinOpen: 502, Scale: 7, Timestamps: true, Modern: true, Order: "mstnw",
		LowPort: 32768, HighPort: 60999, Scatter: true,
	}
}

// Windows is that of Windows 10 and 11.
func Windows() Stack {
	return Stack{
		TTL: 128, Window: 64240, WinOpen: 1026, Scale: 8, Modern: true, Order: "mnwnns",
		LowPort: 49152, HighPort: 65535, Counter: true, RetryRefused: true,
	}
}

// MacOS is that of macOS.
func MacOS() Stack {
	return Stack{
		TTL: 64, Window: 65535, WinOpen: 2058, Scale: 6, Timestamps: true, Modern: true, Order: "mnwnntse",
		LowPort: 49152, HighPort: 65535,
	}
}

// Embedded is that of a printer or a telephone.
func Embedded() Stack {
	return Stack{
		TTL: 255, Window: 5840, WinOpen: 5840, Order: "m",
		LowPort: 1024, HighPort: 5000, Counter: true,
	}
}

// SYN appends the options of a SYN, or of the answer to one of a peer. clock is the own
// time stamp, echo the peer's.
func (s *Stack) SYN(b []byte, v6 bool, clock, echo uint32, peer *Stack) []byte {
	for _, c := range []byte(s.Order) {
		switch c {
		case 'm':
			mss := uint16(1460)
			if v6 {
				mss = 1440
			}
			b = binary.BigEndian.AppendUint16(append(b, 2, 4), mss)
		case 'n':
			b = append(b, 1)
		case 'e':
			b = append(b, 0)
		case 's':
			if peer == nil || peer.Modern {
				b = append(b, 4, 2)
			}
		case 'w':
			if peer == nil || peer.Modern {
				b = append(b, 3, 3, s.Scale)
			}
		case 't':
			if peer == nil || peer.Timestamps {
				b = Stamps(b, clock, echo)
			}
		}
	}
	return b
}

// Stamps appends the option of time stamps.
func Stamps(b []byte, own, echo uint32) []byte {
	b = binary.BigEndian.AppendUint32(append(b, 8, 10), own)
	return binary.BigEndian.AppendUint32(b, echo)
}
