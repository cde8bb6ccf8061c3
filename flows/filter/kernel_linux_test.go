package filter

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// TestKernelTakesPrefilters attaches programs to a socket, which makes Linux
// check them.
func TestKernelTakesPrefilters(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no socket: %v", err)
	}
	defer unix.Close(fd)
	long := "host 192.0.2.1"
	for i := range 100 {
		long += " or 198.51.100." + number(i).String()
	}
	for _, expr := range append([]string{long}, parts...) {
		for _, link := range []uint16{linkEthernet, 101} {
			raw, err := bpf.Assemble(prefilter(t, mustParse(t, expr), link))
			require.NoError(t, err)
			code := make([]unix.SockFilter, len(raw))
			for i, in := range raw {
				code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
			}
			require.NoError(t, unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
				&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}), "%q: %d instructions", expr, len(code))
		}
	}
}
