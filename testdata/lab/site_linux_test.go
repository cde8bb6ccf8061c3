package lab

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// site is a router with two bridges and hosts on both:
//
//	scanner 203.0.113.66 ─┐                  ┌─ server .10, quiet .20
//	client 198.51.100.x  ─┴─ wan  router  lan ┼─ farm .32 to .43, office .5
//	                                         └─ inside .66   (192.0.2.0/24)
//
// 198.51.100.128/25 is prohibited by the router. Addresses that silent names
// have a neighbour entry but no host, so that nothing comes back; other unused
// ones end in the router's host unreachable.
type site struct {
	t                                   *testing.T
	router, scanner, client             *namespace
	server, quiet, farm, office, inside *namespace
	dir                                 string
}

// The MAC addresses that the bridges have and the silent hosts would have.
const (
	wanMAC    = "02:00:00:00:01:01"
	lanMAC    = "02:00:00:00:02:01"
	silentMAC = "02:00:00:00:ff:ff"
)

func silent() []int { return []int{44, 45, 46, 47, 98, 99} }

// newSite builds the site and starts its services.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	s.router = s.namespace("router", map[string]string{"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"})
	s.bridges()
	var clients []string
	for n := 10; n < 70; n++ {
		clients = append(clients, fmt.Sprintf("198.51.100.%d/24", n))
	}
	// the decoys of a scan are addresses of hosts that exist, as nmap advises
	clients = append(clients, "203.0.113.67/24", "203.0.113.68/24", "2001:db8:c1::10/64")
	s.client = s.host("client", "wan", clients...)
	s.scanner = s.host("scanner", "wan", scanner+"/24", scanner6+"/64")
	s.server = s.host("server", "lan", server+"/24", server6+"/64")
	s.quiet = s.host("quiet", "lan", quiet+"/24", "2001:db8:10::20/64")
	s.office = s.host("office", "lan", "192.0.2.5/24", "2001:db8:10::5/64")
	s.inside = s.host("inside", "lan", inside+"/24", "2001:db8:10::66/64")
	farm := []string{"2001:db8:10::100/64"}
	for n := 32; n <= 43; n++ {
		farm = append(farm, fmt.Sprintf("192.0.2.%d/24", n))
	}
	s.farm = s.host("farm", "lan", farm...)
	s.filter()
	s.serve()
	return s
}

func (s *site) namespace(name string, settings map[string]string) *namespace {
	s.t.Helper()
	made, err := netns.New(name)
	require.NoError(s.t, err)
	n := &namespace{made}
	s.t.Cleanup(func() { _ = n.Close() })
	// closed UDP ports must answer at once, and addresses be used at once
	require.NoError(s.t, n.Sysctl(map[string]string{
		"ipv4/icmp_ratelimit": "0", "ipv4/icmp_ratemask": "0", "ipv4/conf/all/rp_filter": "0",
		"ipv4/conf/default/rp_filter": "0", "ipv6/icmp/ratelimit": "0",
		"ipv6/conf/default/accept_dad": "0", "ipv6/conf/default/dad_transmits": "0",
		"ipv6/conf/default/accept_ra": "0", "ipv6/conf/default/router_solicitations": "0",
	}))
	// older kernels have one limit for the whole machine: theirs stays
	err = n.Sysctl(map[string]string{"ipv4/icmp_msgs_per_sec": "100000", "ipv4/icmp_msgs_burst": "10000"})
	if err != nil {
		require.ErrorIs(s.t, err, fs.ErrNotExist)
	}
	require.NoError(s.t, n.Sysctl(settings))
	s.ip(n, "link set lo up")
	return n
}

func (s *site) ip(n *namespace, lines ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(s.t, n.IP(ctx, "", lines...))
}

func (s *site) bridges() {
	s.t.Helper()
	var lines []string
	for name, mac := range map[string]string{"wan": wanMAC, "lan": lanMAC} {
		lines = append(lines,
			"link add "+name+" address "+mac+" type bridge forward_delay 0 mcast_snooping 0",
			"link set "+name+" addrgenmode none up")
	}
	lines = append(lines,
		"addr add 203.0.113.1/24 dev wan", "addr add 198.51.100.1/24 dev wan", "addr add 192.0.2.1/24 dev lan",
		"addr add 2001:db8:66::1/64 dev wan nodad", "addr add 2001:db8:c1::1/64 dev wan nodad",
		"addr add 2001:db8:10::1/64 dev lan nodad",
		// a router asks for neighbours from its link-local address only
		"addr add fe80::1/64 dev wan nodad", "addr add fe80::1/64 dev lan nodad", "route add prohibit 198.51.100.128/25")
	for _, n := range silent() {
		lines = append(lines, fmt.Sprintf("neigh add 192.0.2.%d lladdr %s dev lan nud permanent", n, silentMAC))
	}
	s.ip(s.router, lines...)
	// the router gives an address up, and says so, before the tool that asked for it ends
	require.NoError(s.t, s.router.Sysctl(map[string]string{
		"ipv4/neigh/lan/retrans_time_ms": "100", "ipv6/neigh/lan/retrans_time_ms": "100",
	}))
}

// host makes a namespace with one interface, eth0, on a bridge of the router.
func (s *site) host(name, bridge string, addrs ...string) *namespace {
	s.t.Helper()
	n := s.namespace(name, nil)
	s.ip(s.router, "link add "+name+" type veth peer name eth0 netns "+n.Path(),
		"link set "+name+" master "+bridge+" addrgenmode none up")
	lines := []string{"link set eth0 addrgenmode none up"}
	for _, a := range addrs {
		lines = append(lines, "addr add "+a+" dev eth0")
	}
	if bridge == "lan" {
		lines = append(lines, "route add 198.51.100.0/24 via 192.0.2.1", "route add 203.0.113.0/24 via 192.0.2.1",
			"route add 2001:db8:66::/64 via 2001:db8:10::1", "route add 2001:db8:c1::/64 via 2001:db8:10::1")
	}
	s.ip(n, lines...)
	switch name {
	case "scanner":
		s.ip(n, "route add 192.0.2.0/24 via 203.0.113.1", "route add 198.51.100.128/25 via 203.0.113.1",
			"route add 2001:db8:10::/64 via 2001:db8:66::1")
	case "client":
		s.ip(n, "route add 192.0.2.0/24 via 198.51.100.1", "route add 2001:db8:10::/64 via 2001:db8:c1::1")
	}
	return n
}

// filter makes ports of the server silent. A routing rule does it in every
// kernel; it must come before the table of local addresses.
func (s *site) filter() {
	s.t.Helper()
	for _, family := range []string{"-4", "-6"} {
		lines := []string{"rule add pref 20 lookup local", "rule del pref 0"}
		for _, proto := range []string{"tcp", "udp", "sctp"} {
			lines = append(lines, "rule add pref 10 ipproto "+proto+" dport 81-85 blackhole")
		}
		require.NoError(s.t, s.server.IP(s.t.Context(), family, lines...))
	}
}

// toolLimit is how long a tool may take.
const toolLimit = 40 * time.Second

// command runs a tool in a namespace.
func (s *site) command(t *testing.T, n *namespace, argv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolLimit)
	defer cancel()
	require.NoError(t, n.Run(ctx, s.dir, "", argv...))
}
