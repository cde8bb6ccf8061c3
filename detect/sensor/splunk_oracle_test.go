package sensor_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// findings are what the searches found: values by "rule source start-of-bin",
// or "rule source run" where there are no bins.
type findings map[string]int

// thresholds are what the searches find more than.
type thresholds struct{ ports, hosts int }

// oracleFields are what testdata/splunk.awk reads, in its order.
var oracleFields = []string{
	"frame.time_epoch", "frame.protocols", "eth.dst.ig", "sll.pkttype", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
	"tcp.srcport", "tcp.dstport", "tcp.flags.syn", "tcp.flags.ack", "tcp.flags.reset",
	"udp.srcport", "udp.dstport", "dns.flags.response", "ntp.flags.mode", "dhcp.type", "snmp.data", "stun.type.class",
	"tcp.seq_raw",
}

// oracle computes the findings of the splunk profile with tshark and awk.
type oracle struct {
	tshark, awk string
	config      string // directory without a configuration of the user's
}

func newOracle(t *testing.T) oracle {
	t.Helper()
	o := oracle{config: t.TempDir()}
	for name, path := range map[string]*string{"tshark": &o.tshark, "awk": &o.awk} {
		p, err := exec.LookPath(name)
		if err != nil {
			require.NotEqual(t, "1", os.Getenv("SYNOPTIC_REQUIRE_LAB"), "%s is not installed", name)
			t.Skipf("%s is not installed", name)
		}
		*path = p
	}
	return o
}

// findings are those in a capture, given what tshark prints of it. home is a
// regular expression of our own addresses.
func (o oracle) findings(t *testing.T, fields []byte, home string, over thresholds) findings {
	t.Helper()
	awk := exec.Command(o.awk, "-v", "home="+home, "-v", "ports="+strconv.Itoa(over.ports),
		"-v", "hosts="+strconv.Itoa(over.hosts), "-f", filepath.Join("testdata", "splunk.awk"))
	awk.Stdin = bytes.NewReader(fields)
	awk.Stderr = os.Stderr
	out, err := awk.Output()
	require.NoError(t, err)
	found := findings{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		require.Len(t, f, 4, line)
		value, err := strconv.Atoi(f[3])
		require.NoError(t, err)
		key := strings.Join(f[:3], " ")
		_, again := found[key]
		require.False(t, again, line)
		found[key] = value
	}
	return found
}

// fields are oracleFields of each frame.
func (o oracle) fields(t *testing.T, file string) []byte {
	t.Helper()
	args := []string{"-r", file, "-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"}
	for _, p := range []string{"icmp", "icmpv6"} { // what an error quotes is no packet
		args = append(args, "--disable-protocol", p)
	}
	for _, p := range []string{"tcp.desegment_tcp_streams", "tcp.relative_sequence_numbers"} {
		args = append(args, "-o", p+":FALSE")
	}
	for _, f := range oracleFields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(o.tshark, args...)
	cmd.Env = append(os.Environ(), "HOME="+o.config, "XDG_CONFIG_HOME="+o.config, "WIRESHARK_CONFIG_DIR="+o.config)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil { // a capture that ends within a packet is read up to there by both
		require.Contains(t, stderr.String(), "cut short in the middle of a packet", "%v", err)
	}
	require.NotEmpty(t, out, "tshark read nothing: %s", stderr.String())
	return out
}
