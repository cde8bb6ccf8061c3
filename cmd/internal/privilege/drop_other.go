//go:build !linux

package privilege

// Drop does nothing: on this system there is nothing to give up.
func Drop(Config) (Kept, error) { return Kept{}, nil }
