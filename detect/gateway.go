package detect

import "github.com/synoptic-ids/synoptic/flows"

// A router asks by ARP, or neighbour discovery, for whom somebody behind it wants to
// reach. Ten hosts of which it does so in five minutes are what would be a sweep of
// another host. It is said for information: who is behind it is not seen on this link.
const gatewayHosts = 10

// kindGateway is the place of this in hubs.
const kindGateway = 4

var gatewayARPs = surgeKind{
	name: GatewayARP, window: 300 * second,
	threshold: func(flows.Class) int { return gatewayHosts },
	holds:     func(_ *surge, ev NoticeEvidence) bool { return ev.Value >= ev.Threshold },
}

// gateway takes what a router asks of its links.
func (e *Engine) gateway(ev *flows.Event) {
	it := e.keys.item(ev, &ev.Responder)
	if s := e.surges.meet(&ev.Initiator, kindGateway, &gatewayARPs, ev.Class, &it); s != nil {
		e.surges.add(s, &it)
	}
}
