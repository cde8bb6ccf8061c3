//go:build !unix

package capture

import "io"

// wouldWait is not known here.
func wouldWait(io.Reader) bool { return false }
