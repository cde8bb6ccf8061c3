package capture

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

func TestInterfaces(t *testing.T) {
	n := netns.ForTest(t)
	n.Cable("a0", "b0")
	n.IP("addr add 192.0.2.1/24 dev a0", "link add a1 type veth peer name b1", "link set a1 up")
	list := func() (all []Interface) {
		n.Do(func() (err error) {
			all, err = Interfaces()
			return err
		})
		return all
	}
	find := func(name string) Interface {
		for _, in := range list() {
			if in.Name == name {
				in.Index = 0
				return in
			}
		}
		return Interface{}
	}
	before := list()
	for i := range before[1:] {
		require.Less(t, before[i].Index, before[i+1].Index)
	}
	b0 := find("b0")
	send := n.Sender("a0")
	for i := range 3 {
		send(frameOf("", i, 100))
	}
	require.Equal(t, Interface{
		Name: "b0", Up: true, Running: true, Link: 1, Counted: true, Packets: b0.Packets + 3, Bytes: b0.Bytes + 300,
	}, find("b0"))
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}, find("a0").Addresses)
	require.Equal(t, Interface{Name: "b1", Link: 1, Counted: true}, find("b1"))
	require.Equal(t, Interface{Name: "a1", Up: true, Link: 1, Counted: true}, find("a1"))
	require.Contains(t, find("lo").Addresses, netip.MustParsePrefix("127.0.0.1/8"))
	n.Do(CheckRing)
}
