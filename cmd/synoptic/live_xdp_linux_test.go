package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// xdpCapabilities are those that the program in the kernel takes.
func xdpCapabilities() []uintptr {
	return []uintptr{unix.CAP_NET_RAW, unix.CAP_NET_ADMIN, unix.CAP_BPF, unix.CAP_PERFMON}
}

// asNobody runs a command as an ordinary user with some capabilities.
func asNobody(cmd *exec.Cmd, with []uintptr) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, AmbientCaps: with}
	cmd.Dir = "/"
	return cmd
}

// TestLiveXDP: a scan that passes is found by what the program in the kernel tells, in either
// mode; the mode is said, and of the capabilities one is left, with which the program is
// attached again when the interface was removed.
func TestLiveXDP(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	program := forAll(t)
	for _, mode := range []string{"native", "generic"} {
		t.Run(mode, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, "-v", "-i", "b0", "--xdp="+mode, "--home", "198.51.100.0/24", "--json")
			l := startLive(t, n, asNobody(cmd, xdpCapabilities()))
			l.expect("synoptic: kept capabilities: cap_bpf")
			requireOnly(t, cmd.Process.Pid, unix.CAP_BPF)
			n.IP("link del b0")
			l.expect("synoptic: warning: interface b0 is gone; counting goes on if one of the name comes")
			n.Cable("a0", "b0")
			l.expect("synoptic: warning: interface b0 is back; counting goes on, " + mode)
			sendCapture(t, n.Sender("a0"), "syn-vertical.pcap")
			l.read("read 403 packets of b0")
			requireOnly(t, cmd.Process.Pid, unix.CAP_BPF)
			said := strings.Split(strings.TrimSpace(l.interrupt()), "\n")
			var scan struct{ Phase, Src, Shape, Technique, Verdict string }
			for _, line := range said {
				if strings.Contains(line, `"phase":"close"`) {
					require.Empty(t, scan.Phase, "one scan")
					require.NoError(t, json.Unmarshal([]byte(line), &scan))
				}
			}
			require.Equal(t, "203.0.113.250 vertical tcp-syn answered",
				strings.Join([]string{scan.Src, scan.Shape, scan.Technique, scan.Verdict}, " "))
			require.Contains(t, said[len(said)-1], `"xdp":"`+mode+`"`)
		})
	}
}

// TestLiveXDPBusy: where another has attached its program, it is named and left alone.
func TestLiveXDPBusy(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	first := captureLive(t, n, "-i", "b0", "--xdp")
	var out []byte
	n.Do(func() (err error) {
		out, err = exec.CommandContext(t.Context(), "synoptic", "-i", "b0", "--xdp").CombinedOutput()
		if _, ended := errors.AsType[*exec.ExitError](err); ended {
			return nil
		}
		return err
	})
	require.Regexp(t, `(?m)^synoptic: error: .*b0.*synoptic`, string(out))
	require.Contains(t, string(out), "\nsynoptic: hint: stop what has attached it")
	first.interrupt()
}

// TestLiveXDPFallsBack: who may capture and no more is told why there is no XDP, and captures;
// one who has asked for a mode does not.
func TestLiveXDPFallsBack(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	program := forAll(t)
	cmd := asNobody(exec.CommandContext(t.Context(), program, "-v", "-i", "b0", "--xdp", "--json"), []uintptr{unix.CAP_NET_RAW})
	l := startLive(t, n, cmd, "synoptic: warning: no XDP on b0, packets are captured: ", "synoptic: hint: XDP needs root, or cap_net_raw,")
	l.expect("synoptic: kept capabilities: cap_net_raw")
	sendCapture(t, n.Sender("a0"), "syn-vertical.pcap")
	l.read("read 403 packets of b0")
	said := l.interrupt()
	require.Contains(t, said, `"src":"203.0.113.250"`)
	require.NotContains(t, said, `"xdp"`)

	var out []byte
	n.Do(func() error {
		out, _ = exec.CommandContext(t.Context(), "synoptic", "-i", "lo", "--xdp=native").CombinedOutput()
		return nil
	})
	require.Contains(t, string(out), "synoptic: error: ")
	require.Contains(t, string(out), "synoptic: hint: --xdp without =MODE captures where there can be no XDP")
}
