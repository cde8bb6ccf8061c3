//go:build !linux

package capture

// HasRing is whether the system has rings of packets.
const HasRing = false

// OpenRing captures from devices by the system's ring. Only Linux has one:
// elsewhere it returns [ErrNoRing].
func OpenRing([]string, DeviceConfig) (Source, error) { return nil, ErrNoRing }

// CheckRing says why [OpenRing] cannot work: elsewhere than on Linux it is
// [ErrNoRing].
func CheckRing() error { return ErrNoRing }
