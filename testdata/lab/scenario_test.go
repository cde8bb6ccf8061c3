package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
)

// wanted is a scan that must be reported of a recording, once, and closed.
type wanted struct {
	src       string
	shape     detect.Shape
	technique string
	hosts     int
	ports     int
	targets   int
	answered  []string // "proto host:port", in any order
	outcomes  detect.Outcomes
	verdict   detect.Verdict
	direction detect.Direction
	parts     []part   // where there is more than one, in any order
	srcs      []string // of decoys: all of them; src is then empty
	likely    string   // of decoys: the one that is none, where that can be told
	abusedBy  string   // of a server that was told to
	tool      string   // that is named: set from the scenario
	loose     int      // of how many targets the outcome is a matter of timing
}

// part is what one technique did.
type part struct {
	technique             string
	shape                 detect.Shape
	hosts, ports, targets int
	outcomes              detect.Outcomes
}

// scenario is a run and all the scans it must give: none, for ordinary
// traffic.
type scenario struct {
	name  string // of the recording
	tool  string
	scans []wanted
}

// named is the tool that must be named, or empty.
func (sn scenario) named() string {
	if slices.Contains(anonymous(), sn.name) {
		return ""
	}
	name, _, _ := strings.Cut(sn.tool, " ")
	return name
}

// The lab's addresses.
const (
	scanner = "203.0.113.66"
	server  = "192.0.2.10" // TCP 21, 22, 25, 53, 80 and UDP 53 open, 81 to 85 filtered
	quiet   = "192.0.2.20" // nothing open; UDP 60 to 64 silent
	farm    = "192.0.2.32" // TCP 22 and 873 open
	inside  = "192.0.2.66"
	outpost = "198.51.100.200" // behind a router that prohibits

	scanner6 = "2001:db8:66::66"
	server6  = "2001:db8:10::10"
	quiet6   = "2001:db8:10::20"
)

func scenarios() []scenario {
	return slices.Concat(
		nmapPorts(), nmapProbes(), nmapHosts(), nmapWays(), nmapSweeps(), nmapOptions(), nmapSources(), others(), ordinary())
}

// outcomes are counts of targets.
type outcomes struct{ silent, unreachable, refused, answered, productive int }

func (o outcomes) counts() detect.Outcomes {
	return detect.Outcomes{
		Silent: o.silent, Unreachable: o.unreachable, Refused: o.refused, Answered: o.answered, Productive: o.productive,
	}
}

// vertical is what must be said of a scan of ports of one host from outside.
func vertical(technique string, o outcomes, verdict detect.Verdict, answered ...string) wanted {
	n := o.silent + o.unreachable + o.refused + o.answered + o.productive
	return wanted{
		src: scanner, shape: detect.Vertical, technique: technique, hosts: 1, ports: n, targets: n,
		answered: answered, outcomes: o.counts(), verdict: verdict, direction: detect.Inbound,
	}
}

// horizontal is what must be said of a sweep from outside; ports is 1, or 0
// where there are none.
func horizontal(technique string, o outcomes, ports int, verdict detect.Verdict, answered ...string) wanted {
	w := vertical(technique, o, verdict, answered...)
	w.shape, w.hosts, w.ports = detect.Horizontal, w.targets, ports
	return w
}

// on is the list of ports of a host that answer.
func on(proto, host string, ports ...int) []string {
	var list []string
	for _, p := range ports {
		list = append(list, fmt.Sprintf("%s [%s]:%d", proto, host, p))
	}
	return list
}

// alive are the LAN hosts that answer, as ARP, NDP and ping list them.
func alive(proto, format string, last ...int) []string {
	var list []string
	for _, n := range last {
		list = append(list, on(proto, fmt.Sprintf(format, n), 0)...)
	}
	return list
}

func openTCP(host string) []string { return on("tcp", host, 21, 22, 25, 53, 80) }

func ordinary() []scenario {
	var list []scenario
	for _, name := range []string{
		"web", "dns", "ftp-passive", "ftp-active", "monitor", "backup", "mail", "browser", "retries",
	} {
		list = append(list, scenario{name: name, tool: "ordinary"})
	}
	return list
}
