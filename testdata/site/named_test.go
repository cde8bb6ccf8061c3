package site_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/testdata/site"
)

// knownWrong are the activities for which somebody is named who does not scan,
// and why. A test fails as soon as one of them is judged rightly.
var knownWrong = map[string]string{}

// alone is which part of the day shows an activity, and what has to go on with
// it, where the busiest part would not do.
func alone(name string) site.Config {
	cfg := site.Busiest(0)
	cfg.Only = []string{name}
	switch name {
	case "printers":
		cfg.From, cfg.For = 12*time.Hour, 4*time.Hour
	case "inventory":
		cfg.From, cfg.For = 0, 24*time.Hour
	case "desks-off":
		cfg.From, cfg.For = 8*time.Hour, 7*time.Hour
	case "mail-queue":
		cfg.From, cfg.For = 4*time.Hour, 6*time.Hour
	case "slow-horizontal", "slow-vertical", "slow-34s", "slow-insider":
		cfg.From, cfg.For = 0, 24*time.Hour
	case "backup":
		cfg.From, cfg.For = 20*time.Hour, time.Hour
	case "ipv6-outage":
		cfg.From, cfg.For = 4*time.Hour, 5*time.Hour // time to learn what works
		cfg.Only = append(cfg.Only, "browse")
	case "uplink-outage":
		cfg.From, cfg.For = 7*time.Hour, 4*time.Hour
		cfg.Only = append(cfg.Only, "browse", "proxy", "nat", "resolver", "mail", "regions", "updates")
	case "router-arp":
		cfg.For = 10 * time.Minute
		cfg.Only = append(cfg.Only, "web-server", "background") // by which the router is known to be one
	}
	return cfg
}

func run(t *testing.T, cfg site.Config) site.Result {
	t.Helper()
	rules, err := detect.Profile("default")
	require.NoError(t, err)
	r, err := site.Run(cfg, rules)
	require.NoError(t, err)
	return r
}

// Each thing that goes on at the site, by itself: every scanner is named, and
// nobody else.
func TestEach(t *testing.T) {
	for _, name := range site.Activities() {
		t.Run(name, func(t *testing.T) {
			r := run(t, alone(name))
			require.Empty(t, r.Missed())
			if why, known := knownWrong[name]; known {
				require.NotEmpty(t, r.Wrong(), "known failure passes: %s", why)
				return
			}
			require.Empty(t, lines(r.Wrong()))
		})
	}
}

// lines are scans in short, for messages.
func lines(scans []detect.Scan) (said []string) {
	for _, s := range scans {
		said = append(said, fmt.Sprintf("%v: %s, %s %s, %d hosts, %d ports, from %v to %v, %+v",
			s.Src, s.Rule, s.Shape, s.Technique, s.Hosts, s.Ports, s.First, s.Last, s.Outcomes))
	}
	return said
}

// The busiest two hours with all that goes on in them. With SYNOPTIC_SITE=day
// in the environment it is the whole day.
func TestEveryScannerAndNobodyElse(t *testing.T) {
	cfg := site.Busiest(0)
	if os.Getenv("SYNOPTIC_SITE") == "day" {
		cfg = site.Config{}
	}
	known := slices.DeleteFunc(site.Activities(), func(name string) bool { return knownWrong[name] == "" })
	if len(known) > 0 {
		cfg.Only = slices.DeleteFunc(site.Activities(), func(name string) bool { return knownWrong[name] != "" })
	}
	r := run(t, cfg)
	t.Logf("%d packets, %d source-hours", r.Summary.Capture.Packets, r.SourceHours)
	require.Empty(t, lines(r.Wrong()))
	require.Len(t, r.Scanners, 13)
	for _, sc := range r.Scanners {
		if sc.Slow && sc.Targets < 20 {
			continue // two hours are too short to tell
		}
		require.Equal(t, 1, r.Named(sc), "scans of %s", sc.Name)
		s := r.Scans[slices.IndexFunc(r.Scans, func(s detect.Scan) bool { return s.Src == sc.Src })]
		got := s.Targets
		for _, p := range s.Parts {
			if p.Technique == sc.Technique {
				got = p.Targets
			}
		}
		// Insiders also have failures of their own, by the same technique.
		require.GreaterOrEqual(t, got, sc.Targets*98/100, sc.Name)
		require.LessOrEqual(t, got, sc.Targets*102/100+50, sc.Name)
	}
}

// What is known to be judged wrongly exists.
func TestKnownWrongAreActivities(t *testing.T) {
	require.Subset(t, site.Activities(), slices.Collect(maps.Keys(knownWrong)))
}
