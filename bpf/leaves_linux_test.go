package bpf

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// held are the numbers of what the kernel keeps for a Counter.
type held struct {
	Program ebpf.ProgramID
	Maps    []ebpf.MapID
	Link    link.ID
}

func heldBy(t *testing.T, c *Counter) (h held) {
	t.Helper()
	h.Program = ebpf.ProgramID(programOf(t, c))
	info, err := c.objects.Synoptic.Info()
	require.NoError(t, err)
	var ok bool
	h.Maps, ok = info.MapIDs()
	require.True(t, ok)
	require.GreaterOrEqual(t, len(h.Maps), 7) // the six of xdp.h and the settings
	attached, err := c.link.Info()
	require.NoError(t, err)
	h.Link = attached.ID
	return h
}

// left is what of it the kernel still has.
func (h *held) left() (all []string) {
	note := func(what string, number uint32, c io.Closer, err error) {
		if err == nil {
			_ = c.Close()
		}
		if !errors.Is(err, os.ErrNotExist) {
			all = append(all, fmt.Sprintf("%s %d (%v)", what, number, err))
		}
	}
	p, err := ebpf.NewProgramFromID(h.Program)
	note("program", uint32(h.Program), p, err)
	for _, id := range h.Maps {
		m, err := ebpf.NewMapFromID(id)
		note("map", uint32(id), m, err)
	}
	l, err := link.NewFromID(h.Link)
	note("link", uint32(h.Link), l, err)
	return all
}

// gone waits until the interface has no program and is as it was, and the kernel has neither
// program nor map nor link.
func gone(t *testing.T, lab *netns.Lab, h held) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC() // see Counter.Close
		on, promiscuity := standing(t, lab)
		left := h.left()
		if len(left) == 0 && on == 0 && promiscuity == 0 {
			return
		}
		require.True(t, time.Now().Before(deadline), "%v; on the interface %d, promiscuity %d", left, on, promiscuity)
	}
}

// rounds is how often a test attaches: SYNOPTIC_ROUNDS, or 20 where that is required, else
// enough to try each way once.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("SYNOPTIC_ROUNDS")); err == nil {
		return n
	}
	if netns.Required() && !testing.Short() {
		return 20
	}
	return 4
}

// TestLeavesNothing attaches and detaches again and again, in turn by Close and by an end
// that leaves no time for it.
func TestLeavesNothing(t *testing.T) {
	lab := cable(t)
	for i := range rounds() {
		mode := []Mode{Native, Generic}[i/2%2]
		if i%2 == 0 {
			c, err := opened(lab, Config{Mode: mode})
			require.NoError(t, err)
			h := heldBy(t, c)
			require.Len(t, h.left(), 2+len(h.Maps))
			require.NoError(t, c.Close())
			gone(t, lab, h)
			continue
		}
		gone(t, lab, crash(t, lab, mode))
	}
}

// crash runs this test's program again, until it has attached itself, and kills it.
func crash(t *testing.T, lab *netns.Lab, mode Mode) (h held) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run", "^TestChild$")
	child.Env = append(os.Environ(), "SYNOPTIC_CHILD="+strconv.Itoa(int(mode)))
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	lab.Do(child.Start)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(line, &h), "%s", line)
	on, promiscuity := standing(t, lab)
	require.EqualValues(t, h.Program, on)
	require.EqualValues(t, 1, promiscuity)
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	return h
}

// TestChild is the other end of crash.
func TestChild(t *testing.T) {
	mode, err := strconv.Atoi(os.Getenv("SYNOPTIC_CHILD"))
	if err != nil {
		t.Skip("TestLeavesNothing runs it")
	}
	c, err := Open(Config{Interface: "v1", Mode: Mode(mode)})
	require.NoError(t, err)
	said, err := json.Marshal(heldBy(t, c))
	require.NoError(t, err)
	fmt.Printf("%s\n", said)
	time.Sleep(time.Minute)
	require.NoError(t, c.Close()) // not reached; but without it the Counter would be garbage meanwhile
}
