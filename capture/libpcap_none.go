//go:build !libpcap

package capture

// HasLibpcap is whether libpcap was built in.
const HasLibpcap = false

// OpenLibpcapFile reads a file with libpcap. Without the build tag libpcap it
// returns [ErrNoLibpcap].
func OpenLibpcapFile(string) (Source, error) { return nil, ErrNoLibpcap }

// OpenLibpcapDevice captures from a device with libpcap. Without the build tag
// libpcap it returns [ErrNoLibpcap].
func OpenLibpcapDevice(string, DeviceConfig) (Source, error) { return nil, ErrNoLibpcap }
