package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// live is the program while it captures.
type live struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    bytes.Buffer
	stderr chan string // its lines
}

// captureLive starts the program in a namespace, and waits until it captures.
func captureLive(t *testing.T, n *netns.Lab, args ...string) *live {
	t.Helper()
	return startLive(t, n, exec.CommandContext(t.Context(), "synoptic", args...))
}

// startLive is captureLive of a command, which says other things first.
func startLive(t *testing.T, n *netns.Lab, cmd *exec.Cmd, first ...string) *live {
	t.Helper()
	l := &live{t: t, cmd: cmd, stderr: make(chan string, 1024)}
	l.cmd.Stdout = &l.out
	stderr, err := l.cmd.StderrPipe()
	require.NoError(t, err)
	n.Do(l.cmd.Start)
	go func() {
		defer close(l.stderr)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			l.stderr <- lines.Text()
		}
	}()
	for _, head := range append(first, "synoptic: capturing from ") {
		l.expect(head)
	}
	return l
}

// expect waits for a line on standard error that begins so, and returns it.
func (l *live) expect(head string) string {
	l.t.Helper()
	line, said := l.within(20*time.Second, head)
	require.NotEmpty(l.t, line, "want %q, have:\n%s", head, strings.Join(said, "\n"))
	return line
}

// within waits for a line on standard error that begins so, and returns it, and what else was said.
func (l *live) within(patience time.Duration, head string) (line string, said []string) {
	for deadline := time.After(patience); ; {
		select {
		case line, ok := <-l.stderr:
			if !ok || strings.HasPrefix(line, head) {
				return line, said
			}
			said = append(said, line)
		case <-deadline:
			return "", said
		}
	}
}

// read waits until its account has what was sent. It may not listen for signals yet, so that the first is
// lost.
func (l *live) read(account string) {
	l.t.Helper()
	line := ""
	for range 200 {
		require.NoError(l.t, l.cmd.Process.Signal(syscall.SIGUSR1))
		if line, _ = l.within(time.Second, "read "); strings.HasPrefix(line, account) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	require.Failf(l.t, "it has not read that", "want %q, have %q", account, line)
}

// interrupt ends it, and returns its output.
func (l *live) interrupt() string {
	l.t.Helper()
	require.NoError(l.t, l.cmd.Process.Signal(os.Interrupt))
	for range l.stderr { // until it has ended
	}
	require.NoError(l.t, l.cmd.Wait())
	return l.out.String()
}

// sendCapture sends the frames of a capture, however far apart they were.
func sendCapture(t *testing.T, send func([]byte), name string) {
	t.Helper()
	src, err := capture.Open(filepath.Join("..", "..", "testdata", "captures", name), capture.Config{})
	require.NoError(t, err)
	defer src.Close()
	for fs := make([]capture.Frame, 64); ; {
		n, err := src.Read(fs)
		for _, f := range fs[:n] {
			send(f.Data)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

// TestLive captures a scan from an interface, ends it by an interrupt, and finds
// what there is in the capture of it.
func TestLive(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	text := captureLive(t, n, "-i", "b0", "--home", "198.51.100.0/24", "not port 23")
	records := captureLive(t, n, "-i", "b0", "-i", "lo", "--home", "198.51.100.0/24", "--json", "-s", "128", "-p")
	sendCapture(t, n.Sender("a0"), "syn-vertical.pcap")
	text.read("read 401 packets of b0") // the filter drops the probe of port 23, and its answer, in the kernel
	records.read("read 403 packets of 2 inputs")

	table := text.interrupt()
	require.Contains(t, table, " close  203.0.113.250 vertical tcp-syn 198.51.100.10: 199 ports; 3 answered: 22,80,139; medium\n")
	require.Contains(t, table, "\nSOURCE ")
	require.Contains(t, table, "\nstopped: interrupted\n")

	var scan struct {
		Phase, Src, Shape, Technique, Verdict string
		Targets, Ports                        int
		Outcomes                              map[string]int
	}
	var run struct {
		Event, Stopped   string
		Packets, Dropped int
	}
	lines := strings.Split(strings.TrimSpace(records.interrupt()), "\n")
	for _, line := range lines {
		if strings.Contains(line, `"phase":"close"`) {
			require.Empty(t, scan.Phase, "one scan")
			require.NoError(t, json.Unmarshal([]byte(line), &scan))
		}
	}
	require.Equal(t, "203.0.113.250 vertical tcp-syn answered",
		strings.Join([]string{scan.Src, scan.Shape, scan.Technique, scan.Verdict}, " "))
	require.Equal(t, 200, scan.Targets)
	require.Equal(t, map[string]int{"silent": 2, "unreachable": 0, "refused": 195, "answered": 3, "productive": 0, "unseen": 0}, scan.Outcomes)
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &run))
	require.Equal(t, "run", run.Event)
	require.Equal(t, "interrupted", run.Stopped)
	require.Equal(t, 403, run.Packets)
	require.Zero(t, run.Dropped)
}

// TestLiveWithoutPrivilege: who may not capture is told how to.
func TestLiveWithoutPrivilege(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	cmd := exec.Command("synoptic", "-i", "lo")
	// Where it is root of nothing but what it makes itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
	}
	program, err := exec.LookPath("synoptic")
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil && !netns.Required() {
		t.Skip("no user namespace to be unprivileged in: ", err)
	}
	err = cmd.Wait()
	exited, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 1, exited.ExitCode())
	require.Equal(t, "synoptic: error: capturing from lo: opening a packet socket: operation not permitted\n"+
		"synoptic: hint: capturing needs root: sudo "+program+" -i lo\n"+
		"synoptic: hint: or, given once, a capability: sudo setcap cap_net_raw+ep "+program+"\n", stderr.String())
}
