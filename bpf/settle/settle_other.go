//go:build !linux

package settle

// Program is in the kernel of Linux only.
type Program struct{}

// Load returns [ErrUnsupported].
func Load(int, uint64) (*Program, error) { return nil, ErrUnsupported }

// Attach returns [ErrUnsupported].
func (*Program) Attach(int) error { return ErrUnsupported }

// Dropped returns 0.
func (*Program) Dropped() (packets, bytes uint64) { return 0, 0 }

// Forget does nothing.
func (*Program) Forget() {}

// Close does nothing.
func (*Program) Close() error { return nil }
