//go:build !linux

package bpf

// Counter counts the packets of an interface. Only Linux has one.
type Counter struct{}

// Open returns [ErrNotSupported]: only Linux has XDP.
func Open(Config) (*Counter, error) { return nil, ErrNotSupported }

// Check returns [ErrNotSupported]: only Linux has XDP.
func Check() error { return ErrNotSupported }

// Read is not reached: there is no Counter.
func (*Counter) Read(*Batch) error { return ErrNotSupported }

// Stats is not reached: there is no Counter.
func (*Counter) Stats() (Stats, error) { return Stats{}, ErrNotSupported }

// Mode is not reached: there is no Counter.
func (*Counter) Mode() Mode { return Auto }

// Close is not reached: there is no Counter.
func (*Counter) Close() error { return nil }
