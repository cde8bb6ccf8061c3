package main

import "net/netip"

// label is one scan a capture holds, as its author knows it: all that was
// probed, including what answered.
type label struct {
	Src       string `json:"src"`
	Technique string `json:"technique"`
	Shape     string `json:"shape"`
	Hosts     int    `json:"hosts"`
	Ports     int    `json:"ports"`
	Targets   int    `json:"targets"`
	Answered  int    `json:"answered"`
}

// labelled is one line of labels.jsonl.
type labelled struct {
	File    string  `json:"file"`
	Packets int     `json:"packets"`
	Scans   []label `json:"scans"`
}

// target is what a probe is aimed at; ports of the ICMP, ARP and NDP kinds are 0.
type target struct {
	addr netip.Addr
	port uint16
}

// note adds the label of a finished scan; answered are those of its targets
// that sent a SYN-ACK or a reply.
func (s *site) note(src *host, technique string, targets []target, answered int) {
	hosts, ports, all := map[netip.Addr]bool{}, map[uint16]bool{}, map[target]bool{}
	for _, t := range targets {
		hosts[t.addr], all[t] = true, true
		if t.port != 0 {
			ports[t.port] = true
		}
	}
	s.labels = append(s.labels, label{
		Src: src.addr.String(), Technique: technique, Shape: shapeOf(len(hosts), len(ports)),
		Hosts: len(hosts), Ports: len(ports), Targets: len(all), Answered: answered,
	})
}

func shapeOf(hosts, ports int) string {
	switch {
	case hosts == 1:
		return "vertical"
	case ports <= 1:
		return "horizontal"
	case ports >= 3*hosts:
		return "vertical"
	case hosts >= 3*ports:
		return "horizontal"
	default:
		return "block"
	}
}

// across gives targets on many hosts, with one port (0: none).
func across(hosts []*host, port uint16) []target {
	var ts []target
	for _, h := range hosts {
		ts = append(ts, target{h.addr, port})
	}
	return ts
}

// along gives targets on one host.
func along(h *host, ports []uint16) []target {
	var ts []target
	for _, p := range ports {
		ts = append(ts, target{h.addr, p})
	}
	return ts
}

// ports gives the ports from first to last, both included.
func ports(first, last int) []uint16 {
	var ps []uint16
	for p := first; p <= last; p++ {
		ps = append(ps, uint16(p))
	}
	return ps
}
