// Command benchlive measures what capturing costs: floods of a bounded number of
// packets are sent between two interfaces of a network namespace of its own, and
// CPU time and losses of synoptic are printed beside those of tcpdump, which writes
// them all to /dev/null. It judges nothing but that every packet that arrived was
// read or counted as lost.
//
//	go build -o bin/synoptic ./cmd/synoptic
//	go run ./testdata/benchlive
//
// With -soak it watches a sensor instead, amid mixed traffic, and judges that it does not
// grow: see soak_linux.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

func main() {
	bin := flag.String("bin", "bin/synoptic", "`program` to measure")
	packets := flag.Int("packets", 1_000_000, "`number` of packets of a flood, up to 10,000,000; of data four times as many, for starting has a part of a short one")
	rounds := flag.Int("rounds", 5, "`number` of runs of each")
	only := flag.String("flood", "", "`name` of the only flood to send: data or syn")
	lasts := flag.Duration("soak", 0, "`time` to watch a sensor for amid mixed traffic, instead of measuring")
	every := flag.Duration("every", 20*time.Second, "`time` between two looks at it")
	rate := flag.Int("rate", 20_000, "`number` of frames a second then, up to 100,000")
	flag.Parse()
	if flag.NArg() > 0 || *packets < 1 || *packets > 10_000_000 || *rounds < 1 || *rate < 200 || *rate > 100_000 || *every <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	path, err := filepath.Abs(*bin)
	switch {
	case err != nil:
	case *lasts > 0:
		var all []held
		if all, err = soak(os.Stdout, soaking{bin: path, lasts: *lasts, every: *every, rate: *rate}); err == nil {
			err = flat(os.Stdout, all)
		}
	default:
		err = bench(os.Stdout, path, *only, *packets, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlive: error:", err)
		os.Exit(1)
	}
}

func bench(out io.Writer, bin, only string, packets, rounds int) error {
	n, err := cable("bench")
	if err != nil {
		return err
	}
	send, err := n.Sender("a0")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d packets a flood, of data four times as many, %d runs of each in turn, %d processors, %s\n\n", packets, rounds, runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(out, "%-6s %-9s %10s %12s %12s %14s %14s\n",
		"flood", "program", "CPU s", "ns a packet", "lost %", "sent a second", "ns to send one")
	for _, f := range []flood{{"data", 4 * packets, conversations}, {"syn", packets, forged}} {
		if only != "" && only != f.name {
			continue
		}
		b := &run{ns: n, send: send, flood: f, out: out}
		if err := b.compare(bin, rounds); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// cable is a namespace with a cable from a0 to b0.
func cable(name string) (*netns.NS, error) {
	n, err := netns.New(name)
	if err != nil {
		return nil, fmt.Errorf("%w (this needs root)", err)
	}
	if _, err := os.Stat("/proc/sys/net/ipv6"); err == nil {
		if err := n.Sysctl(map[string]string{"ipv6/conf/default/disable_ipv6": "1"}); err != nil {
			return nil, err
		}
	}
	return n, n.Cable(context.Background(), "a0", "b0")
}

// flood is a kind of traffic; next fills in the i-th frame of it.
type flood struct {
	name    string
	packets int
	make    func() (next func(i int) []byte)
}

// run is one flood, sent to one program after the other.
type run struct {
	ns    *netns.NS
	send  *netns.Sender
	flood flood
	out   io.Writer
}

// figures are what a program took for a flood.
type figures struct {
	cpu  time.Duration
	rate float64       // packets sent a second
	send time.Duration // CPU time of sending, in which the system hands packets to who captures

	arrived, lost int
}

// compare runs both programs in turn, changing which goes first, and prints medians.
func (b *run) compare(bin string, rounds int) error {
	programs := []program{
		{name: "synoptic", argv: []string{bin, "-i", "b0", "--json"}, ready: "capturing from", account: ours},
		{name: "tcpdump", argv: []string{"tcpdump", "-n", "-i", "b0", "-w", "/dev/null"}, ready: "listening on", account: theirs},
	}
	all := make([][]figures, len(programs))
	for i := range rounds {
		for j := range programs {
			at := (i + j) % len(programs)
			f, err := b.measure(programs[at])
			if err != nil {
				return fmt.Errorf("%s: %w", programs[at].name, err)
			}
			all[at] = append(all[at], f)
		}
	}
	for at, p := range programs {
		cpu := median(all[at], func(f figures) float64 { return f.cpu.Seconds() })
		lost := median(all[at], func(f figures) float64 { return 100 * float64(f.lost) / float64(f.arrived) })
		rate := median(all[at], func(f figures) float64 { return f.rate })
		sending := median(all[at], func(f figures) float64 { return f.send.Seconds() })
		each := 1e9 / float64(b.flood.packets)
		fmt.Fprintf(b.out, "%-6s %-9s %10.2f %12.0f %12.1f %14.0f %14.0f\n", b.flood.name, p.name, cpu, each*cpu, lost, rate, each*sending)
	}
	var ratios []float64
	for i := range rounds {
		ratios = append(ratios, all[0][i].cpu.Seconds()/all[1][i].cpu.Seconds())
	}
	slices.Sort(ratios)
	fmt.Fprintf(b.out, "%-6s CPU of synoptic to that of tcpdump: %.2f (%.2f-%.2f)\n\n", b.flood.name, ratios[rounds/2], ratios[0], ratios[rounds-1])
	return nil
}

func median(all []figures, value func(figures) float64) float64 {
	var v []float64
	for _, f := range all {
		v = append(v, value(f))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// measure starts a program, sends the flood, and ends the program.
func (b *run) measure(p program) (figures, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	running, err := start(ctx, b.ns, p)
	if err != nil {
		return figures{}, err
	}
	before, err := arrived(b.ns)
	if err != nil {
		return figures{}, err
	}
	next := b.flood.make()
	began, own := time.Now(), ownCPU()
	for i := range b.flood.packets {
		if err := b.send.Send(next(i)); err != nil {
			return figures{}, fmt.Errorf("sending: %w", err)
		}
	}
	took, sending := time.Since(began), ownCPU()-own
	passed, err := arrived(b.ns)
	if err != nil {
		return figures{}, err
	}
	came := int(passed - before)
	if err := running.rests(ctx); err != nil {
		return figures{}, err
	}
	read, lost, cpu, err := running.stop()
	if err != nil {
		return figures{}, err
	}
	if read+lost != came {
		return figures{}, fmt.Errorf("%d packets arrived, %d were read and %d counted as lost", came, read, lost)
	}
	return figures{cpu: cpu, arrived: came, lost: lost, rate: float64(b.flood.packets) / took.Seconds(), send: sending}, nil
}

// ownCPU is the CPU time that this process has taken.
func ownCPU() time.Duration {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// arrived is how many packets have arrived at b0. Where the system is busy, a cable
// loses some before.
func arrived(n *netns.NS) (packets uint64, err error) {
	err = n.Do(func() error {
		all, err := capture.Interfaces()
		for _, in := range all {
			if in.Name == "b0" {
				packets = in.Packets
			}
		}
		return err
	})
	return packets, err
}
