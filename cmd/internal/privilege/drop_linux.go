package privilege

import (
	"errors"
	"fmt"
	"strings"
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
	if kept.Capabilities, err = capabilities(cfg.kept()); err != nil {
		return kept, fmt.Errorf("giving up capabilities: %w", err)
	}
	return kept, nil
}

// capability is one that may be kept.
type capability struct {
	number uint
	name   string
}

// kept are those that the configuration keeps.
func (c *Config) kept() (all []capability) {
	if c.Capture {
		all = append(all, capability{unix.CAP_NET_RAW, "cap_net_raw"})
	}
	if c.Count {
		all = append(all, capability{unix.CAP_BPF, "cap_bpf"})
	}
	return all
}

// capabilities drops all capabilities but some, also from what could be had again, and says
// which of these the process has.
func capabilities(wanted []capability) (left string, err error) {
	var have [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &have[0]); err != nil {
		return "", err
	}
	keep, names := uint64(0), []string{}
	for _, c := range wanted {
		if have[c.number/32].Permitted>>(c.number%32)&1 != 0 {
			keep |= 1 << c.number
			names = append(names, c.name)
		}
	}
	if have[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
			if keep>>c&1 != 0 {
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
	low, high := uint32(keep), uint32(keep>>32)
	want := [2]unix.CapUserData{{Effective: low, Permitted: low}, {Effective: high, Permitted: high}}
	if err := everywhere(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&want[0]))); err != nil {
		return "", err
	}
	return strings.Join(names, " "), nil
}

// everywhere makes a system call on all threads of the process.
func everywhere(number, a, b uintptr) error {
	if _, _, errno := psx.Syscall6(number, a, b, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
