package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
	"github.com/synoptic-ids/synoptic/testdata/site"
)

// soaking is how a sensor is watched while traffic goes on.
type soaking struct {
	bin   string
	lasts time.Duration
	every time.Duration // between two looks at it
	rate  int           // frames sent a second
}

const (
	// listen is where the sensor tells its metrics.
	listen = "127.0.0.1:9311"
	// soakMemory bounds its tables, so that they are full within minutes.
	soakMemory = "8MiB"
	// full is the share of what the tables hold at the end from which on they are full.
	full = 0.98
	// mayRise is by how many bytes a minute its memory may rise when they are: less than two for a thousand
	// packets, or than 3 KiB for a scan. In all it may rise by mayStep: scans close from a quarter of an hour
	// on, many at a time, and those that have closed are watched, in a table that is then made.
	mayRise = 64 << 10
	mayStep = 1 << 20
	// fewMore goroutines or files there may be at some moment, as for who asks.
	fewMore = 3
)

// held is what a sensor holds at some time.
type held struct {
	after                     time.Duration
	memory, goroutines, files float64
	entries                   float64 // of tables: targets, sources and counts
	packets, saves            float64
	opened, closed            float64 // scans
}

// soak captures traffic for a time: the made-up site with its scanners, data in conversations,
// and every tenth second forged SYNs. It prints what the sensor holds, and returns it.
func soak(out io.Writer, cfg soaking) ([]held, error) {
	n, err := cable("soak")
	if err != nil {
		return nil, err
	}
	if err := n.IP(context.Background(), "", "link set lo up"); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), cfg.lasts+2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	home := []string{}
	for _, p := range site.Home() {
		home = append(home, p.String())
	}
	running, err := start(ctx, n, program{
		name: "synoptic", ready: "capturing from", account: ours,
		argv: []string{
			cfg.bin, "-i", "b0", "--json", "--memory", soakMemory, "--home", strings.Join(home, ","),
			"--listen", listen, "--heartbeat", "10s", "--state", filepath.Join(dir, "state"), "--state-every", "2s",
		},
	})
	if err != nil {
		return nil, err
	}
	before, err := arrived(n)
	if err != nil {
		return nil, err
	}
	all, err := watched(ctx, out, n, cfg)
	if err != nil {
		return nil, err
	}
	after, err := arrived(n)
	if err != nil {
		return nil, err
	}
	read, lost, cpu, err := running.stop()
	if err != nil {
		return nil, err
	}
	if read+lost != int(after-before) {
		return nil, fmt.Errorf("%d packets arrived, %d were read and %d counted as lost", after-before, read, lost)
	}
	fmt.Fprintf(out, "%d packets sent, all of them read or counted as lost; %d lost; %.1f s of CPU\n", after-before, lost, cpu.Seconds())
	return all, nil
}

// watched sends traffic, and looks at the sensor meanwhile.
func watched(ctx context.Context, out io.Writer, n *netns.NS, cfg soaking) (all []held, err error) {
	send, err := n.Sender("a0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = send.Close() }()
	ctx, cancel := context.WithTimeout(ctx, cfg.lasts)
	defer cancel()
	var sent atomic.Int64
	done := make(chan error, 1)
	go func() { done <- mixed(ctx, send, cfg.rate, &sent) }()
	fmt.Fprintf(out, "%8s %12s %10s %6s %10s %12s %12s %8s %8s\n", "after", "memory MiB", "goroutines", "files", "entries", "sent", "packets", "opened", "closed")
	began := time.Now()
	for next := time.NewTicker(cfg.every); ; {
		select {
		case err := <-done:
			next.Stop()
			return all, err
		case <-next.C:
		}
		h, err := look(n)
		if err != nil {
			cancel()
			return nil, errors.Join(err, <-done)
		}
		h.after = time.Since(began)
		all = append(all, h)
		fmt.Fprintf(out, "%8s %12.1f %10.0f %6.0f %10.0f %12d %12.0f %8.0f %8.0f\n",
			h.after.Round(time.Second), h.memory/(1<<20), h.goroutines, h.files, h.entries, sent.Load(), h.packets, h.opened, h.closed)
	}
}

// mixed sends frames of all kinds, so many a second, until ctx ends.
func mixed(ctx context.Context, send *netns.Sender, rate int, sent *atomic.Int64) error {
	const step = 5 * time.Millisecond
	talk, flood := conversations(), forged()
	hours := &endless{}
	tick := time.NewTicker(step)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for range int(int64(rate) * int64(step) / int64(time.Second)) {
			i := int(sent.Add(1))
			frame := talk(i)
			switch {
			case i%2 > 0:
				frame = hours.next()
			case time.Duration(turn)*step/time.Second%10 == 9:
				frame = flood(i)
			}
			if err := send.Send(frame); err != nil {
				return fmt.Errorf("sending: %w", err)
			}
		}
	}
}

// endless is one busy time of the made-up site after the other, each of another day.
type endless struct {
	src    *site.Site
	seed   uint64
	frames [64]capture.Frame
	left   []capture.Frame
}

func (e *endless) next() []byte {
	for len(e.left) == 0 {
		if e.src == nil {
			e.seed++
			e.src = site.New(site.Busiest(e.seed))
		}
		n, err := e.src.Read(e.frames[:])
		e.left = e.frames[:n]
		if err != nil {
			e.src = nil
		}
	}
	f := e.left[0]
	e.left = e.left[1:]
	return f.Data
}

// look asks the sensor what it holds.
func look(n *netns.NS) (h held, err error) {
	wanted := map[string]*float64{
		"process_resident_memory_bytes": &h.memory, "go_goroutines": &h.goroutines, "process_open_fds": &h.files,
		"synoptic_flows_active": &h.entries, "synoptic_sources_active": &h.entries, "synoptic_counts_active": &h.entries,
		"synoptic_interface_packets_total": &h.packets, "synoptic_scans_opened_total": &h.opened, "synoptic_scans_closed_total": &h.closed,
		"synoptic_state_saves_total": &h.saves,
	}
	err = n.Do(func() error {
		conn, err := net.Dial("tcp", listen)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, "GET /metrics HTTP/1.0\r\n\r\n"); err != nil {
			return err
		}
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), " ")
			name, _, _ = strings.Cut(name, "{")
			if to := wanted[name]; to != nil {
				v, err := strconv.ParseFloat(value, 64)
				if err != nil {
					return fmt.Errorf("metric %s: %w", name, err)
				}
				*to += v
			}
		}
		return lines.Err()
	})
	if err == nil && (h.memory == 0 || h.goroutines == 0 || h.files == 0) {
		err = errors.New("the sensor does not tell what it holds")
	}
	return h, err
}

// flat judges whether it grows, from when its tables are full, and at least half of the time.
func flat(out io.Writer, all []held) error {
	if len(all) < 8 {
		return errors.New("it was looked at too seldom to say whether it grows")
	}
	last := all[len(all)-1]
	from := len(all) / 2
	filled := slices.IndexFunc(all, func(h held) bool { return h.entries >= full*last.entries })
	if from = max(from, filled); from > 3*len(all)/4 {
		return fmt.Errorf("its tables filled until %s: soak longer to say whether it grows", all[filled].after.Round(time.Second))
	}
	early, late := all[from:(from+len(all))/2], all[(from+len(all))/2:]
	rise := slope(all[from:])
	fmt.Fprintf(out, "tables full after %s; from %s on memory rose by %.3f MiB a minute (may: %.3f), from %.1f to %.1f MiB\n",
		all[filled].after.Round(time.Second), all[from].after.Round(time.Second), rise/(1<<20), float64(mayRise)/(1<<20),
		most(early).memory/(1<<20), most(late).memory/(1<<20))
	switch {
	case rise > mayRise && rise*(last.after-all[from].after).Minutes() > mayStep:
		return fmt.Errorf("memory grows by %.3f MiB a minute", rise/(1<<20))
	case most(late).goroutines > most(early).goroutines+fewMore:
		return fmt.Errorf("goroutines grow: %.0f early, %.0f late", most(early).goroutines, most(late).goroutines)
	case most(late).files > most(early).files+fewMore:
		return fmt.Errorf("open files grow: %.0f early, %.0f late", most(early).files, most(late).files)
	case last.packets == 0:
		return errors.New("no packet was read")
	case last.saves == 0:
		return errors.New("no state was saved")
	}
	return nil
}

// slope is by how many bytes a minute memory rises, by least squares.
func slope(all []held) float64 {
	var x, y, xx, xy float64
	for _, h := range all {
		at := h.after.Minutes()
		x, y, xx, xy = x+at, y+h.memory, xx+at*at, xy+at*h.memory
	}
	n := float64(len(all))
	return (n*xy - x*y) / (n*xx - x*x)
}

// most is the most of each that was held.
func most(all []held) (m held) {
	for _, h := range all {
		m.memory, m.goroutines, m.files = max(m.memory, h.memory), max(m.goroutines, h.goroutines), max(m.files, h.files)
	}
	return m
}
