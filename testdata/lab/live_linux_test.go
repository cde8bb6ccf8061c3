package lab

import (
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
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

func TestLive(t *testing.T) {
	requireLab(t)
	s := newSite(t)
	runs := scanRuns()
	maps.Copy(runs, moreRuns())
	maps.Copy(runs, ordinaryRuns())
	var ports [len(mirrorModes)]*namespace
	for i := range ports {
		ports[i] = s.mirrorPort()
	}
	dir := t.TempDir()
	var rows []row
	all := scenarios()
	require.Len(t, runs, len(all), "runs and scenarios")
	for turn, sn := range all {
		r, ok := runs[sn.name]
		require.True(t, ok, "no run for scenario %s", sn.name)
		t.Run(sn.name, func(t *testing.T) {
			file := filepath.Join(dir, sn.name+".pcap")
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
			rows = append(rows, rowsOf(sn, closedScans(records))...)
			if *renew {
				keep(t, file, recording(sn.name))
			}
			check(t, sn, records)
			requireSame(t, closedScans(records), seen)
			for _, m := range mirrors {
				t.Logf("by the program in the kernel, %s", m.counter.Mode())
				requireAlike(t, sn, closedScans(records), closedScans(m.records))
			}
		})
	}
	requireSoon(t, rows)
	requireSmall(t, dir)
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
