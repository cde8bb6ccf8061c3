package capture

import "errors"

// DeviceConfig holds what can be chosen about capturing from a device. The zero
// value is good.
type DeviceConfig struct {
	// SnapLen is how many bytes of a packet are captured. Default: 262,144,
	// which is all of every packet.
	SnapLen int
	// Buffer is the size in bytes of the buffer in which the system keeps
	// packets until they are read. Default: 16 MiB.
	Buffer int
	// Own leaves the device out of promiscuous mode, so that it receives what is
	// meant for this host only.
	Own bool
}

// ErrNoLibpcap is returned where libpcap is asked for and was not built in.
var ErrNoLibpcap = errors.New("this build has no libpcap; build with -tags libpcap")
