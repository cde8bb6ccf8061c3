package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// booted is a systemd that has nothing to do but what it is asked for.
type booted struct {
	t    *testing.T
	cmd  *exec.Cmd
	root string
}

// boot starts systemd in a namespace of the network, with the unit and the program installed.
func boot(t *testing.T, n *netns.Lab) *booted {
	t.Helper()
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil {
		require.False(t, netns.Required(), "systemd is not there")
		t.Skip("systemd is not there")
	}
	dir, group := t.TempDir(), "synoptic-test-"+strconv.Itoa(os.Getpid())
	file, err := filepath.Abs(filepath.Join("systemd", unit))
	require.NoError(t, err)
	ctx, kill := context.WithCancel(context.Background())
	b := &booted{t: t, cmd: exec.CommandContext(ctx, "sh", filepath.Join("testdata", "boot.sh"), dir, forAll(t), file, group)}
	var said strings.Builder
	b.cmd.Stdout, b.cmd.Stderr = &said, &said
	b.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC, Pdeathsig: syscall.SIGKILL,
	}
	// It ends with the thread that has started it, which therefore waits for it.
	started, ended := make(chan error), make(chan error)
	go func() {
		ended <- n.NS.Do(func() error {
			err := b.cmd.Start()
			started <- err
			if err != nil {
				return err
			}
			return b.cmd.Wait()
		})
	}()
	require.NoError(t, <-started)
	b.root = fmt.Sprintf("/proc/%d/root", b.cmd.Process.Pid)
	t.Cleanup(func() {
		kill()
		require.Error(t, <-ended)
		removeGroup(t, dir, group)
	})
	require.Eventually(t, func() bool {
		out, err := b.systemctl("is-system-running")
		return err == nil && out == "running"
	}, 30*time.Second, 50*time.Millisecond)
	return b
}

// removeGroup removes a control group, in which nothing runs any more, with those below.
func removeGroup(t *testing.T, dir, group string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-ec", `mount --make-rprivate /
mount -t cgroup2 none "$0"
find "$0/$1" -depth -type d -exec rmdir {} \;`, dir, group)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// systemctl asks it for something, and returns what it says.
func (b *booted) systemctl(args ...string) (string, error) {
	args = append([]string{"--target", strconv.Itoa(b.cmd.Process.Pid), "--mount", "--pid", "systemctl"}, args...)
	out, err := exec.CommandContext(b.t.Context(), "nsenter", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// does is systemctl of what must succeed.
func (b *booted) does(args ...string) string {
	b.t.Helper()
	out, err := b.systemctl(args...)
	require.NoError(b.t, err, "systemctl %s: %s", strings.Join(args, " "), out)
	return out
}

// signal sends a signal to the main process of the unit.
func (b *booted) signal(service, signal string) {
	b.t.Helper()
	b.does("kill", "--kill-who=main", "--signal="+signal, service)
}

// restarted waits until the unit has been started so many times again, and runs.
func (b *booted) restarted(service string, times int) {
	b.t.Helper()
	want := fmt.Sprintf("NRestarts=%d\nActiveState=active", times)
	require.Eventually(b.t, func() bool {
		return b.does("show", "--property=NRestarts,ActiveState", service) == want
	}, 30*time.Second, 50*time.Millisecond, "want %s", want)
}

// TestLiveUnit has systemd run the unit as it is installed, but for a watchdog that is sooner: it begins when it
// captures, as a user of its own with one capability; it begins again, and goes on with the scan, when it was
// killed or stands still; it reads its rules again; and it ends in good order.
func TestLiveUnit(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	if testing.Short() {
		t.Skip("ten seconds of waiting for systemd")
	}
	const service = "synoptic@b0"
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	send, b := n.Sender("a0"), boot(t, n)
	b.does("start", service)

	status, err := os.ReadFile(b.root + "/proc/" + b.does("show", "--property=MainPID", "--value", service) + "/status")
	require.NoError(t, err)
	require.NotRegexp(t, `(?m)^Uid:.*\t0\t`, string(status))
	require.Regexp(t, `(?m)^NoNewPrivs:\t1$`, string(status))
	require.Regexp(t, `(?m)^Seccomp:\t2$`, string(status))
	for _, set := range []string{"Prm", "Eff", "Bnd"} {
		require.Regexp(t, `(?m)^Cap`+set+`:\t0000000000002000$`, string(status))
	}

	file, state := b.root+"/var/log/synoptic/b0.jsonl", b.root+"/var/lib/synoptic/b0.state"
	probe := func(round byte) { // by one that goes on, and one of its own, until that is told
		for port := range uint16(20) {
			send(syn("203.0.113.66", 1000+20*uint16(round)+port))
			send(syn(fmt.Sprintf("203.0.113.%d", 100+round), 1+port))
		}
		awaitRecord(t, file, 100+round)
	}
	probe(0)
	for i, signal := range []string{"KILL", "STOP"} { // STOP: until the watchdog finds it
		awaitSaved(t, state)
		awaitSaved(t, state)
		b.signal(service, signal)
		b.restarted(service, i+1)
		probe(byte(i + 1))
	}
	b.does("reload", service)
	b.does("stop", service)
	require.Equal(t, "success", b.does("show", "--property=Result", "--value", service))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	opened, closed, targets := endsIn(t, string(text))
	require.Len(t, opened, 4)
	require.Equal(t, opened, closed)
	require.Equal(t, 60, targets["203.0.113.66"], "of all its runs")
}
