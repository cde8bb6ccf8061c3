package lab

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tap records what passes a bridge of the router.
type tap struct {
	cmd   *exec.Cmd
	lines chan string // what tcpdump prints, until it ends
	ended chan error
}

// snaplen keeps all headers of an ICMPv6 error about a TCP segment.
const snaplen = 128

// record starts tcpdump on a bridge and waits until it listens.
func (s *site) record(t *testing.T, bridge, file string) *tap {
	t.Helper()
	// ends tcpdump too if the test fails half-way
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	tp := &tap{lines: make(chan string, 128), ended: make(chan error, 1)}
	tp.cmd = exec.CommandContext(ctx, "tcpdump", "-n", "-i", bridge, "-s", strconv.Itoa(snaplen),
		"--time-stamp-precision=nano", "--immediate-mode", "-U", "-B", "8192", "-Z", "root", "-w", file)
	tp.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := tp.cmd.StderrPipe()
	require.NoError(t, err)
	go func() {
		tp.ended <- s.router.Do(func() error {
			if err := tp.cmd.Start(); err != nil {
				close(tp.lines)
				return err
			}
			// this thread must outlive the process: see Pdeathsig
			for lines := bufio.NewScanner(stderr); lines.Scan(); {
				tp.lines <- lines.Text()
			}
			close(tp.lines)
			return tp.cmd.Wait()
		})
	}()
	tp.expect(t, regexp.MustCompile("listening on"))
	return tp
}

// expect waits for a line of tcpdump's that matches.
func (tp *tap) expect(t *testing.T, pattern *regexp.Regexp) []string {
	t.Helper()
	var said []string
	for line := range tp.lines {
		said = append(said, line)
		if m := pattern.FindStringSubmatch(line); m != nil {
			return m
		}
	}
	require.Failf(t, "tcpdump has ended", "want %q, have:\n%s", pattern, strings.Join(said, "\n"))
	return nil
}

// stop ends the recording once all that arrived is written and, for a while,
// nothing more has arrived.
func (tp *tap) stop(t *testing.T) {
	t.Helper()
	counts := regexp.MustCompile(`(\d+) packets? captured, (\d+) packets? received by filter, (\d+) packets? dropped`)
	const enough = 8
	before, calm := "", 0
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		require.NoError(t, tp.cmd.Process.Signal(syscall.SIGUSR1))
		m := tp.expect(t, counts)
		require.Equal(t, "0", m[3], "recording with gaps: %s", m[0])
		if calm++; m[1] != m[2] || m[2] != before {
			before, calm = m[2], 0
		}
		if calm == enough {
			break
		}
	}
	require.Equal(t, enough, calm, "the network does not come to rest")
	require.NoError(t, tp.cmd.Process.Signal(os.Interrupt))
	require.NoError(t, <-tp.ended)
}
