package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// nobody is a user that owns nothing.
const nobody = 65534

// forAll copies the program to where every user may run it.
func forAll(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("synoptic")
	require.NoError(t, err)
	from, err := os.Open(path)
	require.NoError(t, err)
	defer from.Close()
	dir, err := os.MkdirTemp(os.TempDir(), "synoptic") //nolint:usetesting // what TempDir makes is below a folder of the test's user alone
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	to, err := os.OpenFile(filepath.Join(dir, "synoptic"), os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	return to.Name()
}

// requireOnly looks at every thread: all that is left is one capability.
func requireOnly(t *testing.T, pid int, capability uint) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	require.NoError(t, err)
	require.NotEmpty(t, tasks)
	left := fmt.Sprintf("%016x", uint64(1)<<capability)
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if os.IsNotExist(err) {
			continue // it has ended since
		}
		require.NoError(t, err)
		set := map[string]string{}
		for _, m := range regexp.MustCompile(`(?m)^(Cap\w+|NoNewPrivs):\s*(\w+)$`).FindAllStringSubmatch(string(status), -1) {
			set[m[1]] = m[2]
		}
		require.Equal(t, left, set["CapEff"])
		require.Equal(t, left, set["CapPrm"])
		require.Regexp(t, "^0+$", set["CapInh"])
		require.Regexp(t, "^0+$", set["CapAmb"])
		require.Equal(t, "1", set["NoNewPrivs"])
	}
}

// TestLiveGivesUp: an ordinary user with the right to capture is enough, and of what root could
// do nothing else is left.
func TestLiveGivesUp(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	program := forAll(t)
	for name, attr := range map[string]*syscall.SysProcAttr{
		"root": nil,
		"an ordinary user": {
			Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, AmbientCaps: []uintptr{unix.CAP_NET_RAW},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, "-v", "-i", "b0", "--home", "198.51.100.0/24", "--json")
			cmd.SysProcAttr, cmd.Dir = attr, "/"
			l := startLive(t, n, cmd)
			l.expect("synoptic: kept capabilities: cap_net_raw")
			requireOnly(t, cmd.Process.Pid, unix.CAP_NET_RAW)
			sendCapture(t, n.Sender("a0"), "syn-vertical.pcap")
			l.read("read 403 packets of b0")
			requireOnly(t, cmd.Process.Pid, unix.CAP_NET_RAW)

			// An interface that is gone is captured from again when it is back.
			n.IP("link del b0")
			l.expect("synoptic: warning: interface b0 is gone")
			n.Cable("a0", "b0")
			l.expect("synoptic: warning: interface b0 is back")
			n.Carries("a0", "b0")
			sendCapture(t, n.Sender("a0"), "syn-vertical.pcap")
			l.read("read 806 packets of b0")
			said := l.interrupt()
			require.Contains(t, said, `"src":"203.0.113.250"`)
		})
	}
}

// TestLiveDark: that nothing comes is told while nothing comes, for an interface has a clock of
// its own.
func TestLiveDark(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	file := filepath.Join(t.TempDir(), "out.jsonl")
	l := captureLive(t, n, "-i", "b0", "--heartbeat", "1s", "-o", "json:"+file)
	told := func(pattern string) func() bool {
		return func() bool {
			text, err := os.ReadFile(file)
			return err == nil && regexp.MustCompile(pattern).Match(text)
		}
	}
	const patience, often = 20 * time.Second, 20 * time.Millisecond
	require.Eventually(t, told(`"event":"health","phase":"open",.*"about":"dark"`), patience, often)
	sendCapture(t, n.Sender("a0"), "xmas.pcap")
	require.Eventually(t, told(`"event":"health","phase":"close",.*"about":"dark"`), patience, often)
	require.Eventually(t, told(`"about":"heartbeat","counters":\{"packets":[1-9]`), patience, often)
	l.interrupt()
}
