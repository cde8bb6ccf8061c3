// Package netns makes network namespaces for tests: networks of their own that are
// connected with nothing, and that are gone when the process is.
package netns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// NS is a network namespace without a name. It lives as long as its file,
// its sockets and the processes in it, all of which end with this process, so
// nothing stays behind however a test ends. Its methods may be called from any
// goroutine.
type NS struct {
	name string // for messages
	file *os.File
}

// New makes a namespace, which takes root. Messages call it by the name.
func New(name string) (*NS, error) {
	n := &NS{name: name}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		var err error
		n.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return n, err
}

// onThread runs f on a thread of its own that ends with f, because nothing
// else may ever run in the namespace that f entered.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		// never unlocked: the runtime then ends the thread
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// Do runs f in the namespace. Sockets that f makes on its own goroutine stay
// in the namespace and can be used from anywhere. f must not end the goroutine.
func (n *NS) Do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter namespace %s: %w", n.name, err)
		}
		return f()
	})
}

// Path names the namespace for other programs.
func (n *NS) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// Close gives the namespace up. It is gone when what else holds it is.
func (n *NS) Close() error { return n.file.Close() }

// outputShown is how much of what a failed command printed goes into the
// error, in bytes.
const outputShown = 2000

// Run runs a command in the namespace. It is killed when ctx ends, and with
// this process.
func (n *NS) Run(ctx context.Context, dir, stdin string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &out
	// a child of the tool's own may outlive it and hold its output open
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := n.Do(cmd.Run)
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		said := out.Bytes()
		err = fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, said[max(0, len(said)-outputShown):])
	}
	return err
}

// IP gives lines to ip(8); family is "-4", "-6", or empty where the addresses
// in them tell.
func (n *NS) IP(ctx context.Context, family string, lines ...string) error {
	argv := []string{"ip", "-batch", "-"}
	if family != "" {
		argv = []string{"ip", family, "-batch", "-"}
	}
	return n.Run(ctx, "", strings.Join(lines, "\n"), argv...)
}

// Sysctl sets kernel parameters of the namespace, which must exist.
func (n *NS) Sysctl(settings map[string]string) error {
	return n.Do(func() error {
		for name, value := range settings {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644); err != nil {
				return fmt.Errorf("namespace %s: %w", n.name, err)
			}
		}
		return nil
	})
}

// Cable makes two interfaces: what is sent on one arrives at the other.
func (n *NS) Cable(ctx context.Context, a, b string) error {
	err := n.IP(ctx, "", "link add "+a+" type veth peer name "+b, "link set "+a+" up", "link set "+b+" up")
	return errors.Join(err, n.Carries(ctx, a, b))
}

// Carries waits until interfaces have a carrier. What is sent before is lost.
func (n *NS) Carries(ctx context.Context, devices ...string) error {
	return n.Do(func() error {
		for _, device := range devices {
			for running := false; !running; {
				found, err := net.InterfaceByName(device)
				if err = errors.Join(err, ctx.Err()); err != nil {
					return fmt.Errorf("waiting for %s to have a carrier: %w", device, err)
				}
				if running = found.Flags&net.FlagRunning != 0; !running {
					time.Sleep(time.Millisecond)
				}
			}
		}
		return nil
	})
}

// Sender sends frames as they are.
type Sender struct{ fd int }

// Sender makes a sender on an interface.
func (n *NS) Sender(device string) (*Sender, error) {
	s := &Sender{}
	err := n.Do(func() error {
		found, err := net.InterfaceByName(device)
		if err != nil {
			return err
		}
		if s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return unix.Bind(s.fd, &unix.SockaddrLinklayer{Ifindex: found.Index})
	})
	if err != nil {
		return nil, fmt.Errorf("sending on %s: %w", device, err)
	}
	return s, nil
}

// Send sends a frame, from the link header on.
func (s *Sender) Send(frame []byte) error {
	_, err := unix.Write(s.fd, frame)
	return err
}

// Close closes the sender.
func (s *Sender) Close() error { return unix.Close(s.fd) }
