package sensor_test

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

func fitted(t *testing.T, memory int64) sensor.Config {
	t.Helper()
	var cfg sensor.Config
	_, err := cfg.Fit(memory)
	require.NoError(t, err)
	return cfg
}

// squeezed has so little room that every bound is reached: what a flood does to a budget,
// on captures that are none.
func squeezed() sensor.Config {
	var cfg sensor.Config
	cfg.Table.MaxEntries, cfg.Table.MaxNotes, cfg.Decoder.MaxFragments = 200, 64, 8
	cfg.Engine = detect.Config{Sources: 20, Groups: 30, History: 300, OpenTargets: 100, Walks: 4, Suspects: 8, Door: 256, Pairs: 8, Facts: 8}
	return cfg
}

// finding is a scan as far as it must be found again: by one source, or by a crowd with it.
type finding struct {
	src         netip.Addr
	first, last detect.Time
}

// overlaps reports whether both are of one source, and of a time.
func (f finding) overlaps(o finding) bool {
	return f.src == o.src && f.first <= o.last && o.first <= f.last
}

// found are the scans of a capture, of a crowd one for each member, and what was forgotten.
func found(t *testing.T, file string, cfg sensor.Config) (all []finding, sum sensor.Summary) {
	t.Helper()
	cfg.OnScan = func(s detect.Scan) {
		if s.Phase != detect.Close {
			return
		}
		for _, src := range append(s.Srcs, s.Src) {
			if src.IsValid() {
				// A capture may run backwards.
				all = append(all, finding{src, min(s.First, s.Last), max(s.First, s.Last)})
			}
		}
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	src, err := capture.Open(file, capture.Config{})
	if err != nil {
		t.Skipf("not read: %v", err)
	}
	sum, err = s.Run(context.Background(), src)
	require.NoError(t, err)
	require.NoError(t, src.Close())
	return all, sum
}

// requireAmong checks that each of some scans is one of those that are found with all memory.
func requireAmong(t *testing.T, all, some []finding, why string) {
	t.Helper()
	for _, f := range some {
		require.True(t, slices.ContainsFunc(all, f.overlaps), "%s: %v is not among %v", why, f, all)
	}
}

// atHand are all captures there are: our own, those of the lab, and the labelled ones if
// SYNOPTIC_CORPUS or the usual place leads to them.
func atHand(t *testing.T) []string {
	t.Helper()
	files := captures(t)
	for _, set := range []string{filepath.Join("..", "..", "testdata", "lab", "recordings", "*.pcap*"), filepath.Join(corpusDir(), "*", "*.pcap*")} {
		more, err := filepath.Glob(set)
		require.NoError(t, err)
		files = append(files, more...)
	}
	return files
}

// withoutEstimates is what is said but for records that hold estimates: which addresses share
// a bit goes by the seed.
func withoutEstimates(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		if !strings.Contains(line, `"estimated":true`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestMemoryChangesNothingThatFits: whatever the budget and the seed, what is said is
// the same, to the byte, as long as nothing has to be forgotten.
func TestMemoryChangesNothingThatFits(t *testing.T) {
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := said(t, open(t, file), sensor.Config{})
			for _, mib := range []int64{256, 64, 16} {
				cfg := fitted(t, mib<<20)
				require.Equal(t, want, said(t, open(t, file), cfg), "%d MiB", mib)
				cfg.Seed = 0x5eed
				require.Equal(t, withoutEstimates(want), withoutEstimates(said(t, open(t, file), cfg)), "%d MiB, another seed", mib)
			}
		})
	}
}

// TestLittleMemoryNamesNobodyElse: with too little room scans may be missed, but each that is
// found is found with enough, at the time.
func TestLittleMemoryNamesNobodyElse(t *testing.T) {
	if testing.Short() {
		t.Skip("reads every capture five times: minutes with the race detector")
	}
	var mu sync.Mutex
	lost, evicted := 0, sensor.Summary{}
	t.Run("captures", func(t *testing.T) {
		for _, file := range atHand(t) {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				all, _ := found(t, file, sensor.Config{})
				for _, mib := range []int64{64, 16} {
					some, _ := found(t, file, fitted(t, mib<<20))
					require.Equal(t, all, some, "%d MiB", mib)
				}
				some, _ := found(t, file, fitted(t, 4<<20))
				requireAmong(t, all, some, "4 MiB")
				some, sum := found(t, file, squeezed())
				requireAmong(t, all, some, "squeezed")
				mu.Lock()
				defer mu.Unlock()
				if len(some) < len(all) {
					lost++
				}
				evicted.Table.Evicted += sum.Table.Evicted
				evicted.Detect.SourcesEvicted += sum.Detect.SourcesEvicted
				evicted.Detect.GroupsEvicted += sum.Detect.GroupsEvicted
			})
		}
	})
	require.Positive(t, lost, "the squeeze must tell")
	require.Positive(t, evicted.Table.Evicted)
	require.Positive(t, evicted.Detect.SourcesEvicted)
	require.Positive(t, evicted.Detect.GroupsEvicted)
}

// TestGateNamesNobodyElse: with all sources asked at the gate, at whatever number of bits,
// nobody is named who is not without it; and some are.
func TestGateNamesNobodyElse(t *testing.T) {
	let, missed := 0, 0
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all, _ := found(t, file, sensor.Config{})
			for _, bits := range []int{1, 5, 10} {
				some, sum := found(t, file, sensor.Config{Engine: detect.Config{GateBits: bits}})
				requireAmong(t, all, some, fmt.Sprintf("%d bits", bits))
				require.GreaterOrEqual(t, sum.Detect.Gate.Asked, sum.Detect.Gate.Admitted)
				let += len(some)
				missed += len(all) - len(some)
			}
		})
	}
	require.Positive(t, missed, "the gate must tell")
	require.Greater(t, let, missed)
}

// TestSameForAnyBatchWhereMuchIsForgotten: what is forgotten depends on neither batches
// nor goroutines.
func TestSameForAnyBatchWhereMuchIsForgotten(t *testing.T) {
	for _, name := range []string{"scan-day.pcapng", "syn-flood.pcap", "p2p.pcap"} {
		file := filepath.Join("..", "..", "testdata", "captures", name)
		want := said(t, open(t, file), squeezed())
		for _, batch := range []int{1, 7, 4096} {
			cfg := squeezed()
			cfg.Batch = batch
			require.Equal(t, want, said(t, open(t, file), cfg), "%s, batch %d", name, batch)
			cfg.Inline = true
			require.Equal(t, want, said(t, open(t, file), cfg), "%s, inline, batch %d", name, batch)
		}
	}
}
