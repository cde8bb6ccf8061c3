package metrics

import (
	"bytes"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/evidence"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/gate"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

var update = flag.Bool("update", false, "write the golden file anew")

// still is a run at one moment, with another number wherever there is one.
type still struct{}

func (still) Snapshot() sensor.Summary {
	return sensor.Summary{
		Capture: capture.Stats{Packets: 1001, Bytes: 1002, Dropped: 1003, Skipped: 1004, Damaged: 1005},
		Decode: flows.DecodeStats{
			Truncated: 2001, Malformed: 2002, Encrypted: 2003, BadFCS: 2004,
			NoIP: []flows.NumberCount{{Number: 1, Frames: 2000}, {Number: 2, Frames: 4}}, NoIPOthers: 1,
			Links: []flows.NumberCount{{Number: 1, Frames: 2000}}, LinksOthers: 6,
			TunnelsCut: 2007, TunnelsTooDeep: 2008, TunnelsNoIP: 2009, Incomplete: 2010, Displaced: 2011,
		},
		Table: flows.TableStats{
			Attempts: 3001, Connections: 3002, Backscatter: 3003, MidStream: 3004,
			Evicted: 3100, EvictedLive: 50, ClockJumps: 3005, Entries: 3006,
		},
		Detect: detect.Stats{
			Opened: 4001, Closed: 4002, Reopened: 4003, Watches: 4004, WatchesEvicted: 4005, Sources: 4006,
			SourcesEvicted: 4007, Groups: 4008, GroupsEvicted: 4009, Guarded: 4010,
			WalksEvicted: 4011, SuspectsEvicted: 4012, PairsEvicted: 4013, FactsEvicted: 4014, Cut: 4015,
			Gate: gate.Stats{Asked: 4017, Admitted: 4016},
		},
		Evidence: sensor.EvidenceStats{Begun: 8001, Unkept: 8002, Left: 8003, Hurried: 8004},
		Filtered: 5001, Settled: 5002, Last: 1_700_000_000_500_000_000,
		Kernel: &bpf.Stats{
			Mode:    bpf.Generic,
			Packets: [bpf.NumClasses]uint64{bpf.ClassSYN: 8001, bpf.ClassMalformed: 8002}, Told: 8003, RingFull: 8004,
			OverBudget: 8005, Tunnels: 8006, Load: 0.125, RingLoad: 0.25, Generations: 8007, Sources: 8008, Evicted: 8009,
		},
	}
}

// TestNothingOfWhatThereIsNot: of a program in the kernel, or of a state, nothing is told where there is none.
func TestNothingOfWhatThereIsNot(t *testing.T) {
	told := 0
	for _, s := range lines() {
		if name := s.desc.String(); strings.Contains(name, "_xdp_") || strings.Contains(name, "_state_") {
			told++
			require.Empty(t, s.value(&reading{}))
			require.NotEmpty(t, s.value(&reading{Summary: still{}.Snapshot(), saved: &Saved{}}))
		}
	}
	require.Greater(t, told, 10)
}

// TestXDPMode: what was asked for and is not there is told as that.
func TestXDPMode(t *testing.T) {
	require.Equal(t, []string{"native", "generic", "none"}, modes().label)
	kernel := func(m bpf.Mode) *reading { return &reading{Summary: sensor.Summary{Kernel: &bpf.Stats{Mode: m}}} }
	require.Equal(t, []float64{1, 0, 0}, modes().value(kernel(bpf.Native)))
	require.Equal(t, []float64{0, 1, 0}, modes().value(kernel(bpf.Generic)))
	require.Equal(t, []float64{0, 0, 1}, modes().value(kernel(bpf.Auto)), "the interface was removed")
	require.Equal(t, []float64{0, 0, 1}, modes().value(&reading{counted: true}), "packets are captured instead")
}

func (still) Progress() sensor.Progress {
	return sensor.Progress{Reads: 6001, Batches: 6002, Done: 6003}
}

func of(cfg Config) *Metrics {
	cfg.Version, cfg.Line = "v1.2.3", still{}
	cfg.Sinks = func() []Sink {
		return []Sink{{Name: "json:-", Sent: 7001}, {Name: "text:/var/log/\xff.txt", Sent: 7002, Lost: 7003}}
	}
	cfg.Kept = func() evidence.Stats {
		return evidence.Stats{Files: 9001, Bytes: 9002, Packets: 9003, Lost: 9004, Removed: 9005}
	}
	cfg.Saved = func() Saved {
		return Saved{Saves: 10001, Failures: 10002, At: time.Unix(1_700_000_002, 0), Took: 250 * time.Millisecond, Bytes: 10003}
	}
	cfg.Devices = func(sum *sensor.Summary) []capture.DeviceStats {
		return []capture.DeviceStats{
			{Name: "eth0", Packets: sum.Capture.Packets - 1, Dropped: sum.Capture.Dropped}, {Name: "eth0"}, {Name: "eth\xff", Packets: 1},
		}
	}
	return New(cfg)
}

// TestGolden holds everything that is told, but for what Go says of itself, against the file
// that dashboards and alerts are written by.
func TestGolden(t *testing.T) {
	m := of(Config{})
	m.Scan(&detect.Scan{Phase: detect.Open, Shape: detect.Block, Severity: 3})
	m.Scan(&detect.Scan{Phase: detect.Close, Shape: detect.Block, Severity: 3})
	m.Scan(&detect.Scan{Phase: detect.Close, Shape: detect.Block, Severity: 3, MergedInto: "another"})
	m.Notice(&detect.Notice{Event: detect.Flood})
	m.Notice(&detect.Notice{Event: detect.Health, About: detect.HealthDrops})
	m.Reloaded(time.Unix(1_700_000_001, 0), true)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	var have bytes.Buffer
	for _, f := range families {
		_, err := expfmt.MetricFamilyToText(&have, f)
		require.NoError(t, err)
	}
	text := strings.ReplaceAll(have.String(), runtime.Version(), "go1.0")
	file := filepath.Join("testdata", "metrics.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), text)

	m.Reloaded(time.Unix(1_700_000_099, 0), false)
	require.Zero(t, testutil.ToFloat64(m.reloaded))
	require.InDelta(t, 1_700_000_001, testutil.ToFloat64(m.when), 0)
}

// TestLint asks the rules of promtool.
func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(of(Config{}).registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// TestNoLabelIsChosenByStrangers: no label has a name under which an address or a port would
// be told, and the values are known before a packet is seen.
func TestNoLabelIsChosenByStrangers(t *testing.T) {
	m := of(Config{})
	before := testutil.CollectAndCount(m.registry)
	for range 100 {
		m.Scan(&detect.Scan{Phase: detect.Close, Shape: detect.Vertical, Severity: 2})
		m.Notice(&detect.Notice{Event: detect.Backscatter})
	}
	require.Equal(t, before, testutil.CollectAndCount(m.registry))
	text, err := os.ReadFile(filepath.Join("testdata", "metrics.txt"))
	require.NoError(t, err)
	for _, label := range regexp.MustCompile(`[{,](\w+)="`).FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, []string{"version", "goversion", "mode", "class", "reason", "state", "kind", "output", "shape", "severity", "event", "about", "interface"}, label[1])
	}
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	return w.Code, w.Body.String()
}

func TestHealth(t *testing.T) {
	var stuck time.Duration
	why := "the source is not open yet"
	h := of(Config{Stuck: func() time.Duration { return stuck }, Ready: func() string { return why }}).Handler()
	for _, tt := range []struct {
		path string
		code int
		body string
	}{
		{"/healthz", 200, "ok\n"},
		{"/readyz", 503, "the source is not open yet\n"},
		{"/debug/pprof/", 404, "404 page not found\n"},
		{"/", 404, "404 page not found\n"},
	} {
		code, body := get(t, h, tt.path)
		require.Equal(t, tt.code, code, tt.path)
		require.Equal(t, tt.body, body, tt.path)
	}
	stuck, why = 2*Patience, ""
	code, body := get(t, h, "/healthz")
	require.Equal(t, 503, code)
	require.Equal(t, "no stage has moved for 40 s\n", body)
	code, body = get(t, h, "/readyz")
	require.Equal(t, 200, code)
	require.Equal(t, "ok\n", body)
	code, body = get(t, h, "/metrics")
	require.Equal(t, 200, code)
	require.Contains(t, body, "\nsynoptic_capture_packets_total 1001\n")
	require.Contains(t, body, "\ngo_goroutines ")
}

func TestProfilesAreAskedFor(t *testing.T) {
	code, _ := get(t, of(Config{Profiling: true}).Handler(), "/debug/pprof/goroutine?debug=1")
	require.Equal(t, 200, code)
}

func TestServe(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	stop := of(Config{Stuck: func() time.Duration { return 0 }}).Serve(l)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/healthz", http.NoBody)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	stop()
	_, err = client.Do(req)
	require.Error(t, err)
}
