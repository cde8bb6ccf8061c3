package lab

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const farmRange = "192.0.2.32/28"

// scanRuns are the runs of real scanners.
func scanRuns() map[string]run {
	runs := map[string]run{
		"nmap-syn":        nmap("-sS", "-p1-100", server),
		"nmap-connect":    nmap("-sT", "-p1-100", server),
		"nmap-udp":        nmap("-sU", "-p1-100", server),
		"nmap-udp-silent": nmap("-sU", "-p41-80", quiet),
		"nmap-refused":    nmap("-sS", "-p1-100", quiet),
		"nmap-dark":       nmap("-sS", "-p1-60", "192.0.2.99"),
		"nmap-prohibited": nmap("-sS", "-p1-60", outpost),
		"nmap-ipv6":       nmap("-6", "-sS", "-p1-100", server6),
		"nmap-null":       nmap("-sN", "-p1-100", server),
		"nmap-fin":        nmap("-sF", "-p1-100", server),
		"nmap-xmas":       nmap("-sX", "-p1-100", server),
		"nmap-maimon":     nmap("-sM", "-p1-100", server),
		"nmap-ack":        nmap("-sA", "-p1-100", server),
		"nmap-sctp":       nmap("-sY", "-p1-40", quiet),
		"nmap-protocols":  nmap("-sO", "-p60-119", quiet),
		"nmap-horizontal": nmap("-sS", "-p22", farmRange),
		"nmap-slow":       nmap("-sS", "-T2", "--scan-delay", "300ms", "-p1-30", server),
		"nmap-decoys":     nmap("-sS", "-D", "203.0.113.67,203.0.113.68,ME", "-p1-100", server),
		"nmap-version":    nmap("-sV", "--version-light", "-p11-40", server),
		"nmap-fragments":  nmap("-sS", "-f", "-p1-60", server),
		"nmap-fragments2": nmap("-sS", "-f", "-f", "-p1-60", server),
		"nmap-mtu8":       nmap("-sF", "--mtu", "8", "-p1-60", server),
		"nmap-udp-mtu8":   nmap("-sU", "--mtu", "8", "--data-length", "20", "-p41-80", quiet),
		"masscan-ports":   masscan("-p1-100", server),
		"masscan-sweep":   masscan("-p22", "192.0.2.0/26"),
		"masscan-block":   masscan("-p20-31", farmRange),
		"hping3-scan":     tool("hping3", "-S", "--scan", "1-100", server),
	}
	runs["nmap-inside"] = run{"lan", func(t *testing.T, s *site) {
		s.command(t, s.inside, nmapArgs("-sT", "-p1-100", quiet)...)
	}}
	runs["nmap-arp"] = run{"lan", func(t *testing.T, s *site) {
		s.command(t, s.inside, "nmap", "-n", "-sn", "192.0.2.0/26")
	}}
	runs["nmap-ndp"] = run{"lan", func(t *testing.T, s *site) {
		s.command(t, s.inside, "nmap", "-n", "-6", "-sn", "2001:db8:10::/122")
	}}
	runs["nmap-ping"] = tool("nmap", "-n", "-sn", "-PE", "192.0.2.0/26")
	runs["gateway-arp"] = run{"lan", func(t *testing.T, s *site) {
		// by now the router is known to carry the traffic of others
		require.NoError(t, pages(s, 40))
		// not in order, for a gateway that asks in order is another matter
		masscan("--ping", "192.0.2.0/26").act(t, s)
	}}
	runs["nmap-busy"] = run{"wan", busy}
	return runs
}

func tool(argv ...string) run {
	return run{"wan", func(t *testing.T, s *site) { s.command(t, s.scanner, argv...) }}
}

func nmapArgs(args ...string) []string {
	return append([]string{
		"nmap", "-n", "-Pn", "--max-retries", "1", "--initial-rtt-timeout", "100ms", "--max-rtt-timeout", "300ms",
	}, args...)
}

func nmap(args ...string) run { return tool(nmapArgs(args...)...) }

// masscan notices that its time is up when a packet arrives, so somebody has to
// send it one.
func masscan(ports, targets string) run {
	return run{"wan", func(t *testing.T, s *site) {
		stop, stopped := make(chan bool), make(chan error)
		go func() {
			for seq := uint16(0); ; seq++ {
				select {
				case <-stop:
					stopped <- nil
					return
				case <-time.After(time.Second):
				}
				if err := echo(s.client, "203.0.113.67", scanner, seq); err != nil {
					stopped <- err
					return
				}
			}
		}()
		s.command(t, s.scanner, "masscan", targets, ports, "--rate", "500", "--wait", "1",
			"--interface", "eth0", "--source-ip", scanner, "--router-mac", wanMAC)
		close(stop)
		require.NoError(t, <-stopped)
	}}
}

// busy is a SYN scan in the middle of ordinary traffic.
func busy(t *testing.T, s *site) {
	var work sync.WaitGroup
	for _, traffic := range []func(*site, int) error{pages, questions} {
		work.Go(func() {
			if err := traffic(s, 48); err != nil {
				t.Error(err)
			}
		})
	}
	nmap("-sS", "-p1-100", server).act(t, s)
	work.Wait()
	require.False(t, t.Failed())
}
