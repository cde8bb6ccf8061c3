package detect

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// said are the notices of health about something.
func (w *wire) healthOf(about string) (found []Notice) {
	for _, n := range w.notices {
		if n.Event == Health && n.About == about {
			found = append(found, n)
		}
	}
	return found
}

func TestLearningIsSaidOnce(t *testing.T) {
	w := newWire(t, defaults(t))
	require.Empty(t, w.engine.Learning())
	w.busy(5, inside, server, 443)
	w.busy(50, inside, server, 443)
	w.end()
	found := w.healthOf(HealthLearning)
	require.Len(t, found, 1)
	want := []Learning{{"baselines", Time(at(5 + 24*3600))}, {"known services", Time(at(5 + 7*24*3600))}}
	require.Equal(t, want, found[0].Learning)
	require.Equal(t, want, w.engine.Learning())
	require.Equal(t, Time(at(5)), found[0].Time)
}

func TestLearningOfRulesWithoutBaselines(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: r, count: dst, by: [src], over: 100, within: 1m}"))
	w.busy(0, inside, server, 443)
	require.Len(t, w.engine.Learning(), 1)
}

func TestOneWayIsSaidOncePerProtocol(t *testing.T) {
	w := newWire(t, defaults(t))
	for i := range 30 {
		c := w.dial(inside, nth("198.51.0.0", i), 443)
		w.send(float64(i), c.syn(), c.ack(), c.ask())
	}
	for i := range 5 {
		w.knock(40+float64(i), inside, nth("198.51.0.0", 100+i), 443)
	}
	w.end()
	found := w.healthOf(HealthOneWay)
	require.Len(t, found, 1)
	require.Equal(t, "tcp", found[0].Proto)
}

func TestGatewayARP(t *testing.T) {
	w := newWire(t, defaults(t))
	ask := func(seconds float64, to string, marks flows.Mark) {
		w.send(seconds, flows.Packet{
			Kind: flows.KindARPRequest, Src: address("10.0.0.1"), Dst: address(to), Marks: flows.MarkGroup | marks,
			SrcMAC: [6]byte{2, 0, 0, 0, 0, 1},
		})
	}
	for i := range 40 {
		ask(float64(i), nth("10.0.0.0", 10+i), flows.MarkGateway)
	}
	w.end()
	found := slices.DeleteFunc(slices.Clone(w.notices), func(n Notice) bool { return n.Event != GatewayARP })
	require.NotEmpty(t, found)
	last := found[len(found)-1]
	require.Equal(t, Close, last.Phase)
	require.Equal(t, "10.0.0.1", last.Gateway.String())
	require.Nil(t, last.Dst)
	require.InDelta(t, 40, last.Hosts, 4)
	require.Zero(t, last.Sources)
	require.Empty(t, w.scans)
}
