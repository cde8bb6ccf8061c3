package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/synoptic-ids/synoptic/bpf"
)

// counted is a series of the program in the kernel, which is not there without one.
func counted(kind prometheus.ValueType, name, help string, value func(*bpf.Stats) float64) series {
	return series{
		desc: prometheus.NewDesc("synoptic_xdp_"+name, help, nil, nil), kind: kind,
		value: func(r *reading) []float64 {
			if r.Kernel == nil {
				return nil
			}
			return []float64{value(r.Kernel)}
		},
	}
}

// counts are the series of the program in the kernel.
func counts() []series {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return []series{
		modes(),
		classes(),
		counted(counter, "told_total", "Packets that the program in the kernel handed over.", func(s *bpf.Stats) float64 { return float64(s.Told) }),
		counted(counter, "ring_full_total", "Packets to be handed over that there was no room for: they are when they come again.", func(s *bpf.Stats) float64 { return float64(s.RingFull) }),
		counted(counter, "over_budget_total", "Packets of sources that try more than is handed over one by one.", func(s *bpf.Stats) float64 { return float64(s.OverBudget) }),
		counted(counter, "tunnels_total", "Packets handed over and left out, for they carry others.", func(s *bpf.Stats) float64 { return float64(s.Tunnels) }),
		counted(gauge, "ring_fill_ratio", "Share of the ring to user space that waits, 0 to 1.", func(s *bpf.Stats) float64 { return s.RingLoad }),
		counted(gauge, "targets_fill_ratio", "Share of bits set in the memory of targets, 0 to 1: from 0.2 on it begins anew.", func(s *bpf.Stats) float64 { return s.Load }),
		counted(counter, "generations_total", "Times that the memory of targets began anew.", func(s *bpf.Stats) float64 { return float64(s.Generations) }),
		counted(gauge, "sources_active", "Sources over their budget that are counted.", func(s *bpf.Stats) float64 { return float64(s.Sources) }),
		counted(counter, "sources_evicted_total", "Sources over their budget forgotten for want of room.", func(s *bpf.Stats) float64 { return float64(s.Evicted) }),
	}
}

// modes tell where the program runs, and where that was asked for and there is none.
func modes() series {
	names := []string{bpf.Native.String(), bpf.Generic.String(), "none"}
	s := by("xdp_mode", "1 for where the program in the kernel runs: in the driver, in the network stack, or nowhere, though --xdp asks for it.",
		"mode", names, func(r *reading) []float64 {
			if r.Kernel == nil && !r.counted {
				return nil
			}
			mode := "none"
			if r.Kernel != nil && r.Kernel.Mode != bpf.Auto {
				mode = r.Kernel.Mode.String()
			}
			all := make([]float64, len(names))
			all[slices.Index(names, mode)] = 1
			return all
		})
	s.kind = prometheus.GaugeValue
	return s
}

// classes are the frames that the program has seen, by what it took them for.
func classes() series {
	var names []string
	for c := range bpf.NumClasses {
		names = append(names, c.String())
	}
	return by("xdp_frames_total", "Frames seen by the program in the kernel.", "class", names, func(r *reading) []float64 {
		if r.Kernel == nil {
			return nil
		}
		all := make([]float64, 0, bpf.NumClasses)
		for _, n := range r.Kernel.Packets {
			all = append(all, float64(n))
		}
		return all
	})
}
