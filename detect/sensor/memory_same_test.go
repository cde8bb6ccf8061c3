package sensor_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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

// named are the sources of all scans, and what was forgotten.
func named(t *testing.T, file string, cfg sensor.Config) (sources map[string]bool, sum sensor.Summary) {
	t.Helper()
	sources = map[string]bool{}
	cfg.OnScan = func(s detect.Scan) {
		sources[s.Src.String()] = true
		for _, m := range s.Srcs {
			sources[m.String()] = true
		}
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	src := open(t, file)
	sum, err = s.Run(context.Background(), src)
	require.NoError(t, err)
	require.NoError(t, src.Close())
	return sources, sum
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

// TestLittleMemoryNamesNobodyElse: with too little room scans may be missed, but no
// source is named that is not with enough.
func TestLittleMemoryNamesNobodyElse(t *testing.T) {
	evicted := sensor.Summary{}
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all, _ := named(t, file, sensor.Config{})
			some, _ := named(t, file, fitted(t, 4<<20))
			require.Subset(t, all, some, "4 MiB")
			some, sum := named(t, file, squeezed())
			require.Subset(t, all, some, "squeezed")
			evicted.Table.Evicted += sum.Table.Evicted
			evicted.Detect.SourcesEvicted += sum.Detect.SourcesEvicted
			evicted.Detect.GroupsEvicted += sum.Detect.GroupsEvicted
		})
	}
	require.Positive(t, evicted.Table.Evicted, "the squeeze must tell")
	require.Positive(t, evicted.Detect.SourcesEvicted)
	require.Positive(t, evicted.Detect.GroupsEvicted)
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
