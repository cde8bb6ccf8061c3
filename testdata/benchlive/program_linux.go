package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// program captures from b0 until it is interrupted.
type program struct {
	name    string
	argv    []string
	ready   string // what it says when it captures
	account func(stdout, stderr string) (read, lost int, err error)
}

// running is a program that captures.
type running struct {
	program
	cmd    *exec.Cmd
	stdout bytes.Buffer
	said   strings.Builder // on standard error
	rest   chan error      // standard error has ended
}

// start starts a program, and waits until it captures.
func start(ctx context.Context, n *netns.NS, p program) (*running, error) {
	r := &running{program: p, rest: make(chan error, 1)}
	r.cmd = exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	r.cmd.Stdout = &r.stdout
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := n.Do(r.cmd.Start); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		r.said.WriteString(line)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("it does not capture: %s", r.said.String()), r.cmd.Wait())
		}
		if strings.Contains(line, p.ready) {
			break
		}
	}
	go func() {
		_, err := io.Copy(&r.said, lines)
		r.rest <- err
	}()
	return r, nil
}

// rests waits until the program has nothing more to do: what lay in buffers is read
// when it takes next to no CPU time.
func (r *running) rests(ctx context.Context) error {
	const pause, little = 1500 * time.Millisecond, 5 // ticks of 10 ms; tcpdump wakes once a second
	for before := -1; ; time.Sleep(pause) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
		if err = errors.Join(err, ctx.Err()); err != nil {
			return fmt.Errorf("waiting for it to come to rest: %w", err)
		}
		// utime and stime are the 14th and 15th field, 12 and 13 behind the name.
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		if before >= 0 && user+system-before < little {
			return nil
		}
		before = user + system
	}
}

// stop interrupts the program, and returns its account and CPU time.
func (r *running) stop() (read, lost int, cpu time.Duration, err error) {
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, 0, 0, err
	}
	if err := errors.Join(<-r.rest, r.cmd.Wait()); err != nil {
		return 0, 0, 0, fmt.Errorf("%w: %s", err, r.said.String())
	}
	read, lost, err = r.account(r.stdout.String(), r.said.String())
	return read, lost, r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime(), err
}

// ours reads the run record.
func ours(stdout, _ string) (read, lost int, err error) {
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var record struct {
		Event            string
		Packets, Dropped int
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &record); err != nil || record.Event != "run" {
		return 0, 0, fmt.Errorf("no run record: %q: %w", lines[len(lines)-1], err)
	}
	return record.Packets, record.Dropped, nil
}

// theirs reads what tcpdump says at its end.
func theirs(_, stderr string) (read, lost int, err error) {
	m := regexp.MustCompile(`(?s)(\d+) packets? captured.*\b(\d+) packets? dropped by kernel`).FindStringSubmatch(stderr)
	if m == nil {
		return 0, 0, fmt.Errorf("no account: %s", stderr)
	}
	read, err = strconv.Atoi(m[1])
	if err != nil {
		return 0, 0, err
	}
	lost, err = strconv.Atoi(m[2])
	return read, lost, err
}
