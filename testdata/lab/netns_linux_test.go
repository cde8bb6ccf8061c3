package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// netns is a network namespace without a name. It lives as long as its file,
// its sockets and the processes in it, all of which end with this process, so
// nothing stays behind however a test ends.
type netns struct {
	name string // for messages
	file *os.File
}

func newNetns(name string) (*netns, error) {
	n := &netns{name: name}
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

// do runs f in the namespace. Sockets that f makes on its own goroutine stay
// in the namespace and can be used from anywhere.
func (n *netns) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter namespace %s: %w", n.name, err)
		}
		return f()
	})
}

// path names the namespace for other programs.
func (n *netns) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// outputShown is how much of what a failed command printed goes into the
// error, in bytes.
const outputShown = 2000

// run runs a command in the namespace. It is killed when ctx ends, and with
// this process.
func (n *netns) run(ctx context.Context, dir, stdin string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &out
	// a child of the tool's own may outlive it and hold its output open
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := n.do(cmd.Run)
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		said := out.Bytes()
		err = fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, said[max(0, len(said)-outputShown):])
	}
	return err
}

// ip gives lines to ip(8); family is "-4", "-6", or empty where the addresses
// in them tell.
func (n *netns) ip(ctx context.Context, family string, lines ...string) error {
	argv := []string{"ip", "-batch", "-"}
	if family != "" {
		argv = []string{"ip", family, "-batch", "-"}
	}
	return n.run(ctx, "", strings.Join(lines, "\n"), argv...)
}

// sysctl sets kernel parameters of the namespace, which must exist.
func (n *netns) sysctl(settings map[string]string) error {
	return n.do(func() error {
		for name, value := range settings {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644); err != nil {
				return fmt.Errorf("namespace %s: %w", n.name, err)
			}
		}
		return nil
	})
}
