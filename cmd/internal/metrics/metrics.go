package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/evidence"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// Line is the run that is told of; [sensor.Sensor] is one.
type Line interface {
	Snapshot() sensor.Summary
	Progress() sensor.Progress
}

// Config says what is told. All functions may be called from any goroutine.
type Config struct {
	Version string
	Line    Line
	Sinks   func() []Sink // the outputs, always the same ones
	// Kept is what became of the packets of scans; nil: none are kept.
	Kept func() evidence.Stats
	// Saved is what became of saving the state; nil: none is kept.
	Saved func() Saved
	// Devices counts what was read of each interface, always the same ones, given the same moment's summary;
	// nil: nothing is captured.
	Devices func(*sensor.Summary) []capture.DeviceStats
	// Counted is whether a program in the kernel was asked for.
	Counted bool
	// Stuck says for how long no stage has moved that has something to do.
	Stuck func() time.Duration
	// Ready says why the run is not ready; empty: it is.
	Ready func() string
	// Profiling adds profiles of the program itself below /debug/pprof/.
	Profiling bool
}

// Metrics count what is found, and tell it with the rest when they are asked. All methods
// may be called from any goroutine.
type Metrics struct {
	cfg      Config
	registry *prometheus.Registry
	scans    *prometheus.CounterVec
	notices  *prometheus.CounterVec
	health   *prometheus.CounterVec
	reloaded prometheus.Gauge
	when     prometheus.Gauge
}

// New makes the metrics of a run.
func New(cfg Config) *Metrics {
	m := &Metrics{
		cfg: cfg, registry: prometheus.NewPedanticRegistry(),
		scans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synoptic_scans_total", Help: "Scans that have closed and are reported for themselves, by shape and severity.",
		}, []string{"shape", "severity"}),
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synoptic_notices_total", Help: "Records of what is no scan, by event.",
		}, []string{"event"}),
		health: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synoptic_health_total", Help: "Records of the run's health, by what they are about.",
		}, []string{"about"}),
		reloaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "synoptic_config_last_reload_successful", Help: "Whether the last reading of rules and allow-list succeeded.",
		}),
		when: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "synoptic_config_last_reload_success_timestamp_seconds", Help: "When rules and allow-list were last read with success.",
		}),
	}
	m.begin()
	m.registry.MustRegister(m.scans, m.notices, m.health, m.reloaded, m.when, newCollector(cfg.Version, m.read))
	return m
}

// begin sets what has not happened yet to 0.
func (m *Metrics) begin() {
	for _, shape := range []detect.Shape{detect.Vertical, detect.Horizontal, detect.Block, detect.Protocol, detect.Distributed} {
		for severity := 1; severity <= output.MaxSeverity; severity++ {
			m.scans.WithLabelValues(string(shape), output.SeverityName(severity))
		}
	}
	for _, event := range []detect.NoticeKind{detect.Flood, detect.Backscatter, detect.Reflection, detect.GatewayARP} {
		m.notices.WithLabelValues(string(event))
	}
	for _, about := range []string{
		detect.HealthLearning, detect.HealthOneWay, detect.HealthDrops, detect.HealthClockJump,
		detect.HealthDuplicates, detect.HealthSaturation, detect.HealthHeartbeat, detect.HealthDark, detect.HealthFlood,
	} {
		m.health.WithLabelValues(about)
	}
}

func (m *Metrics) read() *reading {
	r := &reading{Summary: m.cfg.Line.Snapshot(), Progress: m.cfg.Line.Progress(), sinks: m.cfg.Sinks(), counted: m.cfg.Counted}
	if m.cfg.Kept != nil {
		r.kept = m.cfg.Kept()
	}
	if m.cfg.Saved != nil {
		saved := m.cfg.Saved()
		r.saved = &saved
	}
	if m.cfg.Devices != nil {
		r.devices = m.cfg.Devices(&r.Summary)
	}
	return r
}

// Scan counts a record of a scan.
func (m *Metrics) Scan(s *detect.Scan) {
	if s.Phase == detect.Close && s.MergedInto == "" {
		m.scans.WithLabelValues(string(s.Shape), output.SeverityName(s.Severity)).Inc()
	}
}

// Notice counts a record of what is no scan.
func (m *Metrics) Notice(n *detect.Notice) {
	if n.Event == detect.Health {
		m.health.WithLabelValues(n.About).Inc()
		return
	}
	m.notices.WithLabelValues(string(n.Event)).Inc()
}

// Reloaded notes when the rules were read, and whether that succeeded.
func (m *Metrics) Reloaded(at time.Time, ok bool) {
	m.reloaded.Set(0)
	if ok {
		m.reloaded.Set(1)
		m.when.Set(float64(at.Unix()))
	}
}

// Handler answers /metrics, /healthz, /readyz and, if asked for, /debug/pprof/.
func (m *Metrics) Handler() http.Handler {
	program := prometheus.NewRegistry()
	program.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{m.registry, program}, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", m.healthy)
	mux.HandleFunc("GET /readyz", m.ready)
	if m.cfg.Profiling {
		profiles(mux)
	}
	return mux
}
