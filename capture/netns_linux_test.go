package capture

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// netns is a network namespace that is connected with nothing. It is gone when
// its file and the sockets made in it are closed.
type netns struct {
	t    *testing.T
	file *os.File
}

// newNetns makes a namespace, and skips the test where that is not allowed.
func newNetns(t *testing.T) *netns {
	t.Helper()
	n := &netns{t: t}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("no network namespace to capture in: %w", err)
		}
		// neighbour discovery of the system's own would be captured as well
		err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			n.file, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	})
	if err == nil {
		_, err = exec.LookPath("ip")
	}
	if err != nil && os.Getenv("SYNOPTIC_REQUIRE_LAB") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { n.file.Close() })
	return n
}

// onThread runs f on a thread that ends with it, for it may be in another
// namespace then.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		done <- f()
	}()
	return <-done
}

// do runs f in the namespace. Sockets that it opens stay there.
func (n *netns) do(f func() error) {
	n.t.Helper()
	require.NoError(n.t, onThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	}))
}

// ip runs ip(8) with lines.
func (n *netns) ip(lines ...string) {
	n.t.Helper()
	n.do(func() error {
		cmd := exec.Command("ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ip: %w: %s", err, said)
		}
		return nil
	})
}

// cable is a pair of interfaces: what is sent on one arrives at the other.
func (n *netns) cable(a, b string) {
	n.t.Helper()
	n.ip("link add "+a+" type veth peer name "+b, "link set "+a+" up", "link set "+b+" up")
	n.carries(a, b)
}

// carries waits until interfaces have a carrier. What is sent before is lost.
func (n *netns) carries(devices ...string) {
	n.t.Helper()
	n.do(func() error {
		for _, device := range devices {
			for running := false; !running; {
				found, err := net.InterfaceByName(device)
				if err != nil {
					return err
				}
				if running = found.Flags&net.FlagRunning != 0; !running {
					time.Sleep(time.Millisecond)
				}
			}
		}
		return nil
	})
}

// sender is a socket that sends frames as they are.
func (n *netns) sender(device string) (send func(frame []byte)) {
	n.t.Helper()
	var fd int
	n.do(func() error {
		d, err := findSender(device)
		fd = d
		return err
	})
	n.t.Cleanup(func() { unix.Close(fd) })
	return func(frame []byte) {
		n.t.Helper()
		_, err := unix.Write(fd, frame)
		require.NoError(n.t, err)
	}
}

func findSender(device string) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	d, err := findDevice(fd, device)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: d.index})
	}
	return fd, err
}

// ring captures in the namespace, and tells what it has to say of devices.
func (n *netns) ring(cfg DeviceConfig, devices ...string) (src Source, news func() []string) {
	n.t.Helper()
	var told []string
	cfg.Notify = func(message string) { told = append(told, message) }
	n.do(func() (err error) {
		src, err = OpenRing(devices, cfg)
		return err
	})
	n.t.Cleanup(func() { require.NoError(n.t, src.Close()) })
	return src, func() []string {
		all := told
		told = nil
		return all
	}
}
