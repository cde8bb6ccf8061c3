package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
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

// syn is a frame with a crafted SYN, of an IPv4 source, to a port of 198.51.100.10.
func syn(src string, port uint16) []byte {
	f := make([]byte, 54)
	copy(f, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00\x00\x28\x00\x01\x00\x00\x40\x06")
	from := netip.MustParseAddr(src).As4()
	copy(f[26:], from[:])
	copy(f[30:], "\xc6\x33\x64\x0a")
	binary.BigEndian.PutUint16(f[34:], 40000)
	binary.BigEndian.PutUint16(f[36:], port)
	binary.BigEndian.PutUint32(f[38:], 77)
	f[46], f[47], f[48] = 0x50, 0x02, 4
	return f
}

// kills is how often the process is killed: 10 times, or as often as SYNOPTIC_KILLS says.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("SYNOPTIC_KILLS"))
	if os.Getenv("SYNOPTIC_KILLS") != "" {
		require.NoError(t, err)
		return n
	}
	return 10
}

// TestLiveKilled kills the process time and again. Scans that were open as the state was saved last
// go on under their ids, and when the last process is interrupted each is told once to have closed.
func TestLiveKilled(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	send := n.Sender("a0")
	dir := t.TempDir()
	file, state := filepath.Join(dir, "scans.jsonl"), filepath.Join(dir, "state")
	start := func() *live {
		return captureLive(t, n, "-i", "b0", "--home", "198.51.100.0/24", "--memory", "16MiB", "-o", "json:"+file,
			"--state", state, "--state-every", "200ms", "--heartbeat", "0")
	}
	rounds := kills(t)
	probe := func(round int) {
		own := netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + round)}).String()
		for i := range 20 {
			send(syn("203.0.113.66", uint16(1000+20*round+i)))
			send(syn(own, uint16(1+i)))
		}
	}
	for round := range rounds {
		l := start()
		probe(round)
		// The first state that is saved from here on may have been begun before.
		awaitRecord(t, file, byte(100+round))
		awaitSaved(t, state)
		awaitSaved(t, state)
		require.NoError(t, l.cmd.Process.Kill())
		for range l.stderr {
		}
		require.Error(t, l.cmd.Wait())
	}
	start().interrupt()

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	opened, closed, targets := endsIn(t, string(text))
	require.Len(t, opened, rounds+1)
	require.Equal(t, opened, closed)
	for id, n := range closed {
		require.Equal(t, 1, n, id)
	}
	require.Equal(t, 20*rounds, targets["203.0.113.66"], "all targets, of all runs")
}

// endsIn counts by id how often scans opened and closed, and has the targets of each source.
func endsIn(t *testing.T, text string) (opened, closed, targets map[string]int) {
	t.Helper()
	opened, closed, targets = map[string]int{}, map[string]int{}, map[string]int{}
	for line := range strings.Lines(text) {
		var rec struct {
			Event, Phase, ID, Src string
			Targets               int
		}
		require.NoError(t, json.Unmarshal([]byte(line), &rec), line)
		if rec.Event != "scan" {
			continue
		}
		switch rec.Phase {
		case "open":
			opened[rec.ID]++
		case "close":
			closed[rec.ID]++
			targets[rec.Src] = rec.Targets
		}
	}
	return opened, closed, targets
}

// TestLiveKilledWhileAnOutputWaits kills the process while nobody reads one of its outputs. The next one tells
// there what the first could not, and tells nothing twice.
func TestLiveKilledWhileAnOutputWaits(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	send, dir := n.Sender("a0"), t.TempDir()
	file, pipe, state := filepath.Join(dir, "scans.jsonl"), filepath.Join(dir, "pipe"), filepath.Join(dir, "state")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	start := func() *live {
		return captureLive(t, n, "-i", "b0", "--home", "198.51.100.0/24", "--memory", "16MiB", "-o", "json:"+file, "-o", "json:"+pipe,
			"--state", state, "--state-every", "200ms", "--heartbeat", "0")
	}
	l := start()
	for port := range uint16(20) {
		send(syn("203.0.113.66", 1+port))
	}
	awaitRecord(t, file, 66)
	awaitSaved(t, state)
	awaitSaved(t, state)
	require.NoError(t, l.cmd.Process.Kill())
	for range l.stderr {
	}
	require.Error(t, l.cmd.Wait())
	require.FileExists(t, state+".waiting")

	heard := make(chan string)
	go func() {
		text, _ := os.ReadFile(pipe) // which is as long as somebody writes
		heard <- string(text)
	}()
	l = start()
	require.Eventually(t, func() bool {
		_, err := os.Stat(state + ".waiting")
		return os.IsNotExist(err)
	}, 20*time.Second, 20*time.Millisecond)
	l.interrupt()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, told := range []string{string(text), <-heard} {
		opened, closed, targets := endsIn(t, told)
		require.Len(t, opened, 1)
		require.Equal(t, opened, closed)
		require.Equal(t, map[string]int{"203.0.113.66": 20}, targets)
	}
}

// TestLiveDiskFull fills the disk that findings and state go to while the program runs: it goes on, says
// so once of each, and what it found meanwhile is written when there is room again.
func TestLiveDiskFull(t *testing.T) {
	if capture.HasLibpcap {
		t.Skip("this is about the ring")
	}
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	send, dir := n.Sender("a0"), t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `mount -t tmpfs -o size=64k none "$0" && exec synoptic "$@"`, dir,
		"-i", "b0", "--home", "198.51.100.0/24", "--memory", "16MiB", "-o", "json:"+filepath.Join(dir, "scans.jsonl"),
		"--state", filepath.Join(dir, "state"), "--state-every", "200ms", "--heartbeat", "0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	l := startLive(t, n, cmd)
	inside := fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, dir)
	awaitSaved(t, filepath.Join(inside, "state"))
	filler := filepath.Join(inside, "filler")
	require.ErrorIs(t, os.WriteFile(filler, make([]byte, 1<<20), 0o600), syscall.ENOSPC)
	l.expect("synoptic: warning: the state cannot be saved: ")
	for port := range uint16(20) {
		send(syn("203.0.113.66", 1+port))
	}
	require.Contains(t, l.expect("synoptic: warning: "), "scans.jsonl: no space left on device; records are kept, and it is tried again")
	require.NoError(t, os.Remove(filler))
	awaitRecord(t, filepath.Join(inside, "scans.jsonl"), 66)
	awaitSaved(t, filepath.Join(inside, "state"))
	l.interrupt()
}

// awaitRecord waits for a record of a source.
func awaitRecord(t *testing.T, file string, last byte) {
	t.Helper()
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(file)
		return strings.Contains(string(text), `"src":"203.0.113.`+strconv.Itoa(int(last))+`"`)
	}, 20*time.Second, 20*time.Millisecond)
}

// awaitSaved waits until the state is saved once more.
func awaitSaved(t *testing.T, state string) {
	t.Helper()
	before, _ := os.Stat(state)
	require.Eventually(t, func() bool {
		now, err := os.Stat(state)
		return err == nil && !os.SameFile(now, before)
	}, 20*time.Second, 20*time.Millisecond)
}
