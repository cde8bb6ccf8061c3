//go:build !linux

package capture

// count adds what the system counts, which is not known here.
func count([]Interface) error { return nil }
