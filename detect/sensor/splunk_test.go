package sensor_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// captureSet is captures that share a home.
type captureSet struct {
	pattern string
	home    []netip.Prefix
	regexp  string // the same for awk
}

// corpusDir is where the labelled captures are, if they are at hand: where SYNOPTIC_CORPUS
// says, or beside the project.
func corpusDir() string {
	if dir := os.Getenv("SYNOPTIC_CORPUS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "corpus")
}

// splunkSets are the captures at hand: our own, those of the lab, and the labelled ones.
func splunkSets() []captureSet {
	site := []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:1::/48"),
	}
	const siteRegexp = "^(192[.]0[.]2[.]|198[.]51[.]100[.]|2001:db8:1:)"
	const privateRegexp = "^(10[.]|172[.](1[6-9]|2[0-9]|3[01])[.]|192[.]168[.]|f[cd][0-9a-f][0-9a-f]:)"
	root, corpus := filepath.Join("..", ".."), corpusDir()
	sets := []captureSet{
		{filepath.Join(root, "testdata", "captures", "*.pcap*"), site, siteRegexp},
		{filepath.Join(root, "testdata", "lab", "recordings", "*.pcap*"), site, siteRegexp},
		{filepath.Join(corpus, "scans", "*.pcap*"), detect.DefaultHome(), privateRegexp},
	}
	if !testing.Short() {
		sets = append(sets, captureSet{filepath.Join(corpus, "benign", "*.pcap*"), detect.DefaultHome(), privateRegexp})
	}
	return sets
}

// The splunk profile finds in every capture what the searches find in a log of
// its connections: the same sources, bins and values. With the thresholds
// lowered, the counts that stay below them are compared as well.
func TestSplunkProfileAgreesWithItsSearches(t *testing.T) {
	if testing.Short() {
		t.Skip("reads every capture more than once: minutes with the race detector")
	}
	o := newOracle(t)
	published, lowest := thresholds{ports: 50, hosts: 3}, thresholds{ports: 1, hosts: 1}
	var files int
	var compared, withResults, results, counts atomic.Int64
	t.Run("captures", func(t *testing.T) {
		for _, set := range splunkSets() {
			names, err := filepath.Glob(set.pattern)
			require.NoError(t, err)
			files += len(names)
			for _, file := range names {
				t.Run(filepath.Base(file), func(t *testing.T) {
					t.Parallel()
					fields := o.fields(t, file)
					want := o.findings(t, fields, set.regexp, published)
					require.Equal(t, want, splunkFindings(t, file, splunkRules(t, set.home)))
					lowered := splunkRules(t, set.home)
					for i := range lowered.Rules {
						lowered.Rules[i].Over = 1
					}
					low := o.findings(t, fields, set.regexp, lowest)
					require.Equal(t, low, splunkFindings(t, file, lowered), "with lower thresholds")
					compared.Add(1)
					results.Add(int64(len(want)))
					counts.Add(int64(len(low)))
					if len(want) > 0 {
						withResults.Add(1)
					}
				})
			}
		}
	})
	t.Logf("%d of %d captures agree, %d of them with results: %d in all, %d with lower thresholds",
		compared.Load(), files, withResults.Load(), results.Load(), counts.Load())
	if compared.Load() == int64(files) { // fewer: some failed, or were not asked for
		require.GreaterOrEqual(t, withResults.Load(), int64(12), "captures with results")
	}
}

func splunkRules(t *testing.T, home []netip.Prefix) detect.Rules {
	t.Helper()
	rules, err := detect.Profile("splunk")
	require.NoError(t, err)
	rules.Home = home
	return rules
}

// splunkFindings are the findings of the engine, from the records of closed
// scans. The bin is that of the moment at which the rule fired.
func splunkFindings(t *testing.T, file string, rules detect.Rules) findings {
	t.Helper()
	const binSeconds = 600
	tumbling := map[string]bool{}
	for _, r := range rules.Rules {
		tumbling[r.Name] = r.Window == detect.Tumbling
	}
	found := findings{}
	s, err := sensor.New(sensor.Config{Rules: rules, OnScan: func(sc detect.Scan) {
		if sc.Phase != detect.Close {
			return
		}
		for _, f := range sc.Rules {
			bin := "run"
			if tumbling[f.Rule] {
				bin = strconv.FormatInt(f.Time.Std().Unix()/binSeconds*binSeconds, 10)
			}
			key := fmt.Sprintf("%s %s %s", f.Rule, sc.Src, bin)
			found[key] = max(found[key], f.Value)
		}
	}})
	require.NoError(t, err)
	source, err := capture.Open(file, capture.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	_, err = s.Run(context.Background(), source)
	require.NoError(t, err)
	return found
}
