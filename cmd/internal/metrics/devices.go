package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/synoptic-ids/synoptic/capture"
)

type deviceSeries struct{ packets, drops *prometheus.Desc }

func newDeviceSeries() deviceSeries {
	label := []string{"interface"}
	return deviceSeries{
		packets: prometheus.NewDesc("synoptic_interface_packets_total", "Packets read, by interface; without those that the kernel passed over.", label, nil),
		drops:   prometheus.NewDesc("synoptic_interface_drops_total", "Packets lost before they could be read, by interface.", label, nil),
	}
}

func (s *deviceSeries) describe(out chan<- *prometheus.Desc) {
	out <- s.packets
	out <- s.drops
}

// collect tells of each interface. One that was named twice is told of once.
func (s *deviceSeries) collect(out chan<- prometheus.Metric, devices []capture.DeviceStats) {
	told := map[string]bool{}
	for _, d := range devices {
		name := label(d.Name)
		if told[name] {
			continue
		}
		told[name] = true
		out <- prometheus.MustNewConstMetric(s.packets, prometheus.CounterValue, float64(d.Packets), name)
		out <- prometheus.MustNewConstMetric(s.drops, prometheus.CounterValue, float64(d.Dropped), name)
	}
}
