package output

import (
	"fmt"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
)

// Notice implements [Encoder]. That something has grown, what a router asks, and what is
// in the account at the end or is to be learned, is for those who want to know more.
func (t *Text) Notice(n *detect.Notice) error {
	if t.secondary(n) && !t.cfg.Verbose {
		return nil
	}
	t.begin(n.First)
	p := painter(t.cfg.Color)
	phase := p.phase(n.Phase)
	if n.Event == detect.Health {
		phase = p.dim(string(n.Event))
	}
	_, _ = fmt.Fprintf(t.w, "%s %s %s\n", p.dim(t.clock(n.Time)), phase, noticed(n))
	return t.w.Flush()
}

// secondary is whether a notice is only for those who want to know more.
func (*Text) secondary(n *detect.Notice) bool {
	if n.Event != detect.Health {
		return n.Phase == detect.Update || n.Event == detect.GatewayARP
	}
	switch n.About {
	case detect.HealthOneWay, detect.HealthDuplicates, detect.HealthDark, detect.HealthFlood:
		return false
	case detect.HealthDrops:
		return n.First == n.Last // all of them, at the end
	default:
		return true
	}
}

// begin notes the day of the first record.
func (t *Text) begin(at detect.Time) {
	if !t.begun {
		t.begun, t.day = true, dayOf(at)
	}
}

// noticed says whom a notice is about, and what hits it.
func noticed(n *detect.Notice) string {
	switch n.Event {
	case detect.Backscatter:
		return fmt.Sprintf("backscatter of %s%s: %s to %s addresses that never asked%s", n.Dst, ports(n),
			count(n.Packets, n.Proto+" answer"), estimate(n, n.Hosts), lasting(n))
	case detect.Reflection:
		from := ""
		if n.SrcPort != nil {
			from = fmt.Sprintf(" port %d of", *n.SrcPort)
		}
		return fmt.Sprintf("reflection on %s%s: %s that it never asked for, from%s %s addresses%s", n.Dst, ports(n),
			count(n.Packets, n.Proto+" answer"), from, estimate(n, n.Sources), lasting(n))
	case detect.GatewayARP:
		return fmt.Sprintf("gateway %s asks for %s hosts by %s: %s%s", n.Gateway, estimate(n, n.Hosts), n.Proto,
			count(n.Packets, "request"), lasting(n))
	case detect.Health:
		return condition(n)
	default:
		return fmt.Sprintf("%s of %s%s: %s from %s addresses%s", n.Event, n.Dst, ports(n),
			count(n.Packets, n.Proto+" packet"), estimate(n, n.Sources), lasting(n))
	}
}

// condition says what is the matter with the run.
func condition(n *detect.Notice) string {
	switch n.About {
	case detect.HealthLearning:
		var parts []string
		for _, l := range n.Learning {
			parts = append(parts, fmt.Sprintf("%s until %s", l.What, l.Until.Std().Format("2006-01-02 15:04:05")))
		}
		return "learning " + strings.Join(parts, ", ")
	case detect.HealthOneWay:
		return "the capture does not see replies by " + n.Proto + ": silence says nothing"
	case detect.HealthDrops:
		return count(n.Count, "packet") + " lost in capturing" + lasting(n)
	case detect.HealthDark:
		if n.Phase == detect.Close {
			return "packets come again, after none" + lasting(n)
		}
		return "no packets" + lasting(n)
	case detect.HealthHeartbeat:
		return beat(n.Counters)
	case detect.HealthClockJump:
		return count(n.Count, "jump") + " of the capture's clock"
	case detect.HealthDuplicates:
		return count(n.Count, "packet") + " came twice, as from a mirror port that sends both what comes in and what goes out"
	case detect.HealthFlood:
		return flooded(n)
	default:
		return "memory was short: " + count(n.Count, "record") + " forgotten"
	}
}

// beat says what a run has done so far.
func beat(c *detect.Counters) string {
	return fmt.Sprintf("%s so far, %s lost, %s opened, %s closed", count(c.Packets, "packet"), grouped(c.Dropped),
		count(c.Opened, "scan"), grouped(c.Closed))
}

// flooded says what can still be found where more sources come than there is room for.
func flooded(n *detect.Notice) string {
	slow := ""
	if n.Slowest > 0 {
		slow = ", less than " + duration(int64(n.Slowest*1e9)) + " apart"
	}
	return "more sources come than --memory has room for: new ones are judged once they try several targets" + slow
}

// ports says which ports a notice is about.
func ports(n *detect.Notice) string {
	switch {
	case n.Port != nil:
		return fmt.Sprintf(" port %d", *n.Port)
	case n.Ports > 1:
		return fmt.Sprintf(", %s ports", estimate(n, n.Ports))
	default:
		return ""
	}
}

// estimate is a number, with its doubt.
func estimate(n *detect.Notice, value int) string {
	if n.Estimated {
		return "about " + grouped(uint64(value))
	}
	return grouped(uint64(value))
}

// lasting is the time from the first packet to the latest.
func lasting(n *detect.Notice) string {
	if n.Last <= n.First {
		return ""
	}
	return " in " + duration(int64(n.Last-n.First))
}
