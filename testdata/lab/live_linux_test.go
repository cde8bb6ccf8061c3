package lab

import (
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var renew = flag.Bool("record", false, "replace the committed recordings by those of this run")

// run is how a scenario is made: on which bridge it is recorded, and what
// happens there.
type run struct {
	bridge string
	act    func(t *testing.T, s *site)
}

// sitesAtOnce are so many, for a run waits most of its time for what does not come.
const sitesAtOnce = 3

func TestLive(t *testing.T) {
	requireLab(t)
	runs := scanRuns()
	maps.Copy(runs, moreRuns())
	maps.Copy(runs, ordinaryRuns())
	all := scenarios()
	require.Len(t, runs, len(all), "runs and scenarios")
	dir, rows := t.TempDir(), make([][]row, len(all))
	turns := make(chan int, len(all))
	for turn := range all {
		turns <- turn
	}
	close(turns)
	var sites sync.WaitGroup
	for range sitesAtOnce {
		s := newSite(t)
		ports := s.mirrorPorts()
		sites.Go(func() {
			for turn := range turns {
				sn := all[turn]
				t.Run(sn.name, func(t *testing.T) {
					r, ok := runs[sn.name]
					require.True(t, ok, "no run")
					rows[turn] = r.judge(t, s, ports, sn, turn, filepath.Join(dir, sn.name+".pcap"))
				})
			}
		})
	}
	sites.Wait()
	requireSoon(t, slices.Concat(rows...))
	requireSmall(t, dir)
}

// judge makes a run, records it, and holds against the recording what is to be said of it,
// and what the ring and the program in the kernel saw meanwhile.
func (r run) judge(t *testing.T, s *site, ports mirrorPorts, sn scenario, turn int, file string) []row {
	t.Helper()
	began := time.Now()
	tp := s.record(t, r.bridge, file)
	live := s.look(t, r.bridge)
	mirrors := s.mirrors(t, ports, r.bridge)
	if len(sn.scans) > 0 {
		r.besides(t, s, turn)
	} else {
		r.act(t, s)
	}
	tp.stop(t)
	seen := live.stop(t)
	require.NoError(t, together(len(mirrors), func(i int) error { return mirrors[i].stop() }))
	records := replay(t, file)
	t.Logf("took %v", time.Since(began).Round(time.Millisecond))
	if *renew {
		keep(t, file, recording(sn.name))
	}
	check(t, sn, records)
	scans := closedScans(records)
	requireSame(t, scans, seen)
	for _, m := range mirrors {
		t.Logf("by the program in the kernel, %s", m.counter.Mode())
		requireAlike(t, sn, scans, closedScans(m.records))
	}
	return rowsOf(sn, scans)
}

// besides runs a scan amid ordinary traffic, which nobody may be named for.
func (r run) besides(t *testing.T, s *site, turn int) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- beside(s, turn) }()
	r.act(t, s)
	require.NoError(t, <-done)
}

// requireLab skips the test unless the lab was asked for, and then fails it
// where the lab cannot be built.
func requireLab(t *testing.T) {
	t.Helper()
	if os.Getenv("SYNOPTIC_REQUIRE_LAB") != "1" {
		t.Skip("make lab runs this: it takes minutes, and root")
	}
	require.NoError(t, available())
}

// available says why the lab cannot be built here, or nil.
func available() error {
	if unix.Geteuid() != 0 {
		return errors.New("the lab needs root, for network namespaces")
	}
	for _, tool := range []string{"ip", "nmap", "masscan", "hping3", "zmap", "tcpdump"} {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	return nil
}

// keep makes a recording the committed one.
func keep(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o644))
}
