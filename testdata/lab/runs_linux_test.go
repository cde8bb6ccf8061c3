package lab

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where sweeps go: of the 64 addresses 16 are in use, of their upper half 12.
const (
	lanRange  = "192.0.2.0/26"
	halfRange = "192.0.2.32/27"
)

// moreRuns are the runs of scans by their rarer options, and by rarer tools.
func moreRuns() map[string]run {
	runs := map[string]run{
		"nmap-window":       nmap("-sW", "-p1-100", server),
		"nmap-sctp-cookie":  nmap("-sZ", "-p1-40", quiet),
		"nmap-os":           nmap("-O", "--max-os-tries", "1", "-p1-60", server),
		"nmap-from-53":      nmap("-sS", "-g", "53", "-p1-100", server),
		"nmap-udp-from-53":  nmap("-sU", "-g", "53", "-p41-80", quiet),
		"nmap-polite":       nmap("-sS", "-T2", "-p11-30", server),
		"nmap-delay":        nmap("-sT", "--scan-delay", "150ms", "-p1-40", quiet),
		"nmap-fast":         tool("nmap", "-n", "-F", server),
		"nmap-ipv6-udp":     nmap("-6", "-sU", "-p41-80", quiet6),
		"nmap-ipv6-xmas":    nmap("-6", "-sX", "-p1-100", server6),
		"nmap-ipv6-connect": nmap("-6", "-sT", "-p1-100", server6),
		// no host has the last two addresses, so that only one source answers a SYN-ACK
		"nmap-decoys-dead":    nmap("-sS", "-D", "203.0.113.70,203.0.113.71,ME", "-p1-60", server),
		"nmap-bounce":         bounce("-p21-40", farm),
		"nmap-bounce-refused": bounce("-p21-40", quiet),
		"nmap-web":            nmap("-sV", "--version-intensity", "0", "-p76-95", server),
		"connect-close":       {"wan", func(t *testing.T, s *site) { require.NoError(t, connectAndClose(s)) }},
	}
	maps.Copy(runs, sweepRuns())
	maps.Copy(runs, toolRuns())
	return runs
}

// bounce lets the FTP server of the LAN scan another host there.
func bounce(ports, target string) run {
	return run{"lan", func(t *testing.T, s *site) {
		s.command(t, s.scanner, "nmap", "-n", "-Pn", "-b", "anonymous:guest@"+server, ports, target)
	}}
}

func sweepRuns() map[string]run {
	inside := func(args ...string) run {
		return run{"lan", func(t *testing.T, s *site) { s.command(t, s.inside, args...) }}
	}
	return map[string]run{
		// slowly enough for the answer to one question to come before the next
		"nmap-sweep":        tool("nmap", "-n", "-sn", "--max-rate", "60", halfRange),
		"nmap-timestamp":    tool("nmap", "-n", "-sn", "-PP", lanRange),
		"nmap-mask":         tool("nmap", "-n", "-sn", "-PM", lanRange),
		"nmap-ping-ipv6":    tool("nmap", "-n", "-6", "-sn", "-PE", "2001:db8:10::/123"),
		"nmap-ack-sweep":    tool("nmap", "-n", "-sn", "-PA80", halfRange),
		"nmap-udp-sweep":    tool("nmap", "-n", "-sn", "-PU40125", halfRange),
		"nmap-sctp-sweep":   tool("nmap", "-n", "-sn", "-PY80", halfRange),
		"nmap-inside-sweep": inside("nmap", "-n", "-sS", "-p22", "--max-retries", "1", lanRange),
		"masscan-ping":      masscan("--ping", lanRange),
		"zmap-ping":         zmap("-M", "icmp_echoscan"),
	}
}

func toolRuns() map[string]run {
	return map[string]run{
		"masscan-udp": masscan("-pU:41-80", quiet),
		"hping3-syn":  tool("hping3", "-q", "-S", "-i", "u10000", "-c", "100", "-p", "++1", server),
		"hping3-udp":  tool("hping3", "-q", "-2", "-i", "u10000", "-c", "40", "-p", "++41", quiet),
		"zmap-sweep":  zmap("-p", "22"),
		"zmap-udp":    zmap("-M", "udp", "-p", "53", "--probe-args", "text:who serves here"),
	}
}

func zmap(args ...string) run {
	return tool(append(append([]string{"zmap"}, args...),
		"-C", "/dev/null", "-b", "/dev/null", "-o", "/dev/null", "-v", "1", "-r", "500", "-c", "1",
		"-i", "eth0", "-S", scanner, "-G", wanMAC, lanRange)...)
}

// connectAndClose is a scanner of a few lines, as people write them: it
// connects by the operating system, and closes at once.
func connectAndClose(s *site) error {
	return together(100, func(i int) error {
		c, err := s.scanner.dialWithin(patience/3, scanner, server, i+1)
		if err == nil {
			return c.Close()
		}
		if unreached(err) {
			return nil
		}
		return fmt.Errorf("port %d: %w", i+1, err)
	})
}
