package privilege

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// version is the newest of landlock's that is made use of: later ones are about sockets,
// which systemd is told through.
const version = 5

// Drop gives up everything but what cfg says, for all threads and for good. An error means that
// part of it may be left.
func Drop(cfg Config) (Kept, error) {
	if err := everywhere(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return Kept{}, fmt.Errorf("giving up new privileges: %w", err)
	}
	var kept Kept
	if have, err := ll.LandlockGetABIVersion(); err == nil && have > 0 {
		kept.Files = fmt.Sprintf("landlock %d", min(have, version))
	}
	err := landlock.V5.BestEffort().RestrictPaths(
		landlock.RODirs(cfg.Read...).IgnoreIfMissing(),
		landlock.RWDirs(cfg.Write...).IgnoreIfMissing(),
	)
	if err != nil {
		return kept, fmt.Errorf("giving up files: %w", err)
	}
	if kept.Capabilities, err = capabilities(cfg.Capture); err != nil {
		return kept, fmt.Errorf("giving up capabilities: %w", err)
	}
	return kept, nil
}

// capabilities drops all capabilities but that to capture, also from what could be had
// again.
func capabilities(capture bool) (left string, err error) {
	var have [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &have[0]); err != nil {
		return "", err
	}
	keep := uint32(0)
	if capture {
		keep = have[0].Permitted & (1 << unix.CAP_NET_RAW)
	}
	if have[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
			if keep&(1<<unix.CAP_NET_RAW) != 0 && c == unix.CAP_NET_RAW {
				continue
			}
			// One that this kernel does not know is not there.
			if err := everywhere(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c); err != nil && !errors.Is(err, unix.EINVAL) {
				return "", err
			}
		}
	}
	// Before 4.3 there is no ambient set.
	if err := everywhere(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil && !errors.Is(err, unix.EINVAL) {
		return "", err
	}
	want := [2]unix.CapUserData{{Effective: keep, Permitted: keep}}
	if err := everywhere(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&want[0]))); err != nil {
		return "", err
	}
	if keep != 0 {
		return "cap_net_raw", nil
	}
	return "", nil
}

// everywhere makes a system call on all threads of the process.
func everywhere(number, a, b uintptr) error {
	if _, _, errno := psx.Syscall6(number, a, b, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
