package metrics

import (
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/evidence"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// reading is what is known of a run at one moment.
type reading struct {
	sensor.Summary
	sensor.Progress
	sinks   []Sink
	kept    evidence.Stats
	saved   *Saved // nil: no state is kept
	devices []capture.DeviceStats
	counted bool // by a program in the kernel, if that can be
}

// series is one time series, or several that a label tells apart.
type series struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label []string // values of the label; none: no label
	value func(*reading) []float64
}

// one is a series without label.
func one[N uint64 | int](kind prometheus.ValueType, name, help string, value func(*reading) N) series {
	return series{
		desc: prometheus.NewDesc("synoptic_"+name, help, nil, nil), kind: kind,
		value: func(r *reading) []float64 { return []float64{float64(value(r))} },
	}
}

func total(name, help string, value func(*reading) uint64) series {
	return one(prometheus.CounterValue, name, help, value)
}

func now(name, help string, value func(*reading) int) series {
	return one(prometheus.GaugeValue, name, help, value)
}

// by are series that a label tells apart.
func by(name, help, label string, values []string, value func(*reading) []float64) series {
	return series{
		desc: prometheus.NewDesc("synoptic_"+name, help, []string{label}, nil), kind: prometheus.CounterValue,
		label: values, value: value,
	}
}

// lines are all series of the line from the source to the engine.
func lines() []series {
	return slices.Concat(reads(), counts(), finds(), keeps(), saves())
}

func reads() []series {
	return []series{
		total("capture_packets_total", "Packets read.", func(r *reading) uint64 { return r.Capture.Packets }),
		total("capture_bytes_total", "Captured bytes of the packets read.", func(r *reading) uint64 { return r.Capture.Bytes }),
		total("capture_drops_total", "Packets lost before they could be read.", func(r *reading) uint64 { return r.Capture.Dropped }),
		total("capture_skipped_total", "Records of captures passed over because they made no sense.", func(r *reading) uint64 { return r.Capture.Skipped }),
		total("capture_damaged_total", "Inputs that broke off or were no capture.", func(r *reading) uint64 { return r.Capture.Damaged }),
		total("capture_reads_total", "Times that the source was asked for packets.", func(r *reading) uint64 { return r.Reads }),
		{
			desc: prometheus.NewDesc("synoptic_capture_last_packet_timestamp_seconds", "Latest packet time, by the packets' clock; 0 before the first.", nil, nil),
			kind: prometheus.GaugeValue, value: func(r *reading) []float64 { return []float64{float64(r.Last) / 1e9} },
		},
		total("packets_filtered_total", "Packets left out by the filter expression.", func(r *reading) uint64 { return r.Filtered }),
		total("packets_settled_total", "Packets passed over because they could change no outcome.", func(r *reading) uint64 { return r.Settled }),
		by("decode_errors_total", "Frames, or packets in tunnels and fragments, that could not be read.", "reason", []string{
			"truncated", "malformed", "encrypted", "bad_fcs", "no_ip", "link_type",
			"tunnel_cut", "tunnel_too_deep", "tunnel_no_ip", "fragments_incomplete", "fragments_displaced",
		}, undecoded),
		total("batches_total", "Batches of packets read.", func(r *reading) uint64 { return r.Batches }),
		total("batches_done_total", "Batches of packets that went through all stages.", func(r *reading) uint64 { return r.Done }),
	}
}

func undecoded(r *reading) []float64 {
	d := &r.Decode
	noIP, links := d.NoIPOthers, d.LinksOthers
	for _, list := range []struct {
		counts []flows.NumberCount
		sum    *uint64
	}{{d.NoIP, &noIP}, {d.Links, &links}} {
		for _, c := range list.counts {
			*list.sum += c.Frames
		}
	}
	var all []float64
	for _, n := range []uint64{
		d.Truncated, d.Malformed, d.Encrypted, d.BadFCS, noIP, links,
		d.TunnelsCut, d.TunnelsTooDeep, d.TunnelsNoIP, d.Incomplete, d.Displaced,
	} {
		all = append(all, float64(n))
	}
	return all
}

func finds() []series {
	return []series{
		now("flows_active", "Targets that the flow table remembers.", func(r *reading) int { return r.Table.Entries }),
		by("flows_evicted_total", "Targets forgotten for want of room, decided or not.", "state", []string{"decided", "undecided"},
			func(r *reading) []float64 {
				return []float64{float64(r.Table.Evicted - r.Table.EvictedLive), float64(r.Table.EvictedLive)}
			}),
		total("attempts_total", "Attempts seen: new tuples from an initiator.", func(r *reading) uint64 { return r.Table.Attempts }),
		total("connections_total", "Connections of attempts.", func(r *reading) uint64 { return r.Table.Connections }),
		total("backscatter_packets_total", "Answers that belonged to nothing when they came.", func(r *reading) uint64 { return r.Table.Backscatter }),
		total("mid_stream_total", "Conversations whose beginning was not seen.", func(r *reading) uint64 { return r.Table.MidStream }),
		total("clock_jumps_total", "Times that the clock of an interface was set anew.", func(r *reading) uint64 { return r.Table.ClockJumps }),
		now("sources_active", "Sources that have a record.", func(r *reading) int { return r.Detect.Sources }),
		total("sources_evicted_total", "Records of sources forgotten for want of room.", func(r *reading) uint64 { return r.Detect.SourcesEvicted }),
		total("gate_asked_total", "Failures of sources without a record while there was no room for one.", func(r *reading) uint64 { return r.Detect.Gate.Asked }),
		total("gate_admitted_total", "Records given to sources by these failures.", func(r *reading) uint64 { return r.Detect.Gate.Admitted }),
		now("counts_active", "Counts of rules that are kept.", func(r *reading) int { return r.Detect.Groups }),
		total("counts_evicted_total", "Counts of rules forgotten for want of room.", func(r *reading) uint64 { return r.Detect.GroupsEvicted }),
		by("forgotten_total", "What else was forgotten for want of room.", "kind", []string{"walk", "suspect", "pair", "fact"},
			func(r *reading) []float64 {
				d := &r.Detect
				return []float64{float64(d.WalksEvicted), float64(d.SuspectsEvicted), float64(d.PairsEvicted), float64(d.FactsEvicted)}
			}),
		total("scans_cut_total", "Scans whose counts stood still for want of room.", func(r *reading) uint64 { return r.Detect.Cut }),
		now("watches_active", "Closed scans that are watched for their scanner's return.", func(r *reading) int { return r.Detect.Watches }),
		total("watches_evicted_total", "Closed scans no longer watched for want of room.", func(r *reading) uint64 { return r.Detect.WatchesEvicted }),
		total("guarded_total", "Times a threshold was crossed and a guard held the rule back.", func(r *reading) uint64 { return r.Detect.Guarded }),
		total("scans_opened_total", "Scans opened.", func(r *reading) uint64 { return r.Detect.Opened }),
		total("scans_closed_total", "Scans closed.", func(r *reading) uint64 { return r.Detect.Closed }),
		total("scans_reopened_total", "Times that a closed scan was reopened.", func(r *reading) uint64 { return r.Detect.Reopened }),
	}
}

// keeps are what becomes of the packets of scans; without -w all are 0.
func keeps() []series {
	return []series{
		now("evidence_files", "Files with packets of scans in the folder.", func(r *reading) int { return r.kept.Files }),
		{
			desc: prometheus.NewDesc("synoptic_evidence_bytes", "Bytes that the files with packets of scans take.", nil, nil),
			kind: prometheus.GaugeValue, value: func(r *reading) []float64 { return []float64{float64(r.kept.Bytes)} },
		},
		total("evidence_scans_total", "Scans of which packets were kept.", func(r *reading) uint64 { return r.Evidence.Begun }),
		total("evidence_unkept_scans_total", "Scans of which no packets were kept as they opened, for want of room.", func(r *reading) uint64 { return r.Evidence.Unkept }),
		total("evidence_packets_total", "Packets of scans that were written.", func(r *reading) uint64 { return r.kept.Packets }),
		total("evidence_left_out_total", "Packets of scans left out, of which there were enough like them.", func(r *reading) uint64 { return r.Evidence.Left }),
		total("evidence_lost_total", "Packets of scans that could not be written.", func(r *reading) uint64 { return r.kept.Lost }),
		total("evidence_hurried_total", "Packets judged before it was known what came of them, for want of memory.", func(r *reading) uint64 { return r.Evidence.Hurried }),
		total("evidence_removed_total", "Files with packets of scans removed, the oldest first, for want of room.", func(r *reading) uint64 { return r.kept.Removed }),
	}
}

// collector turns what is known of a run into metrics when it is asked.
type collector struct {
	read   func() *reading
	series []series
	build  prometheus.Metric
	sinks  sinkSeries
	cards  deviceSeries
}

func newCollector(version string, read func() *reading) *collector {
	desc := prometheus.NewDesc("synoptic_build_info", "Always 1: the version of the program, and of Go.", []string{"version", "goversion"}, nil)
	return &collector{
		read: read, series: lines(), sinks: newSinkSeries(), cards: newDeviceSeries(),
		build: prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, version, runtime.Version()),
	}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	out <- c.build.Desc()
	for _, s := range c.series {
		out <- s.desc
	}
	c.sinks.describe(out)
	c.cards.describe(out)
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(out chan<- prometheus.Metric) {
	out <- c.build
	r := c.read()
	for _, s := range c.series {
		for i, v := range s.value(r) {
			if s.label == nil {
				out <- prometheus.MustNewConstMetric(s.desc, s.kind, v)
			} else {
				out <- prometheus.MustNewConstMetric(s.desc, s.kind, v, s.label[i])
			}
		}
	}
	c.sinks.collect(out, r.sinks)
	c.cards.collect(out, r.devices)
}
