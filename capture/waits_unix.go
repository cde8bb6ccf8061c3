//go:build unix

package capture

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// wouldWait reports whether a read of a pipe, terminal or socket would wait for the other
// end to write. Of what it knows nothing about it says no.
func wouldWait(r io.Reader) bool {
	file, ok := r.(*os.File)
	if !ok {
		return false
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return false
	}
	waits := false
	err = conn.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		waits = err == nil && n == 0
	})
	return waits && err == nil
}
