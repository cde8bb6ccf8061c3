package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Sink is what became of the records for one output.
type Sink struct {
	Name string // as on the command line: "json:scans.jsonl"
	Sent uint64 // records written
	Lost uint64 // records that could not be
}

type sinkSeries struct{ sent, lost *prometheus.Desc }

func newSinkSeries() sinkSeries {
	return sinkSeries{
		sent: prometheus.NewDesc("synoptic_output_records_total", "Records written, by output.", []string{"output"}, nil),
		lost: prometheus.NewDesc("synoptic_output_lost_total", "Records that could not be written, by output.", []string{"output"}, nil),
	}
}

func (s *sinkSeries) describe(out chan<- *prometheus.Desc) {
	out <- s.sent
	out <- s.lost
}

func (s *sinkSeries) collect(out chan<- prometheus.Metric, sinks []Sink) {
	for _, sink := range sinks {
		out <- prometheus.MustNewConstMetric(s.sent, prometheus.CounterValue, float64(sink.Sent), label(sink.Name))
		out <- prometheus.MustNewConstMetric(s.lost, prometheus.CounterValue, float64(sink.Lost), label(sink.Name))
	}
}

// label is a name as a label: that of a file, or of an interface, may be any bytes, a label may not.
func label(name string) string { return strings.ToValidUTF8(name, "?") }
