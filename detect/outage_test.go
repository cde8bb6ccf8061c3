package detect

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOutage: while our way out is gone, nobody of ours is named for what they try
// outside. Neither a worm nor a few dead services make an outage, and what is ours, or
// refuses, is no part of one.
func TestOutage(t *testing.T) {
	const day, away = 86400.0, "198.51.0.0"
	client := func(n int) string { return nth("10.9.0.0", n) }
	type play struct {
		worked  bool   // what fails the others has worked
		others  int    // whom it fails
		between string // who talks to somebody outside in between
		target  string // network that the one who is judged tries
		refused bool
	}
	for _, tt := range []struct {
		name string
		play
		named bool
	}{
		{"services that worked fail three others", play{worked: true, others: 3, target: away}, false},
		{"they fail two others", play{worked: true, others: 2, target: away}, true},
		{"others fail at what never worked", play{others: 20, target: away}, true},
		{"something outside works for somebody", play{worked: true, others: 3, between: client(9), target: away}, true},
		{"something works for somebody outside", play{worked: true, others: 3, between: outside, target: away}, false},
		{"what is ours is tried", play{worked: true, others: 3, target: "10.2.0.0"}, true},
		{"what is tried refuses", play{worked: true, others: 3, target: away, refused: true}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			service := func(n int) string { return nth(server, n) }
			for n := range tt.others {
				if tt.worked {
					w.busy(float64(n), client(n), service(n), 443)
				}
			}
			for n := range tt.others {
				w.knock(day+float64(n), client(n), service(n), 443)
			}
			if tt.between != "" {
				w.busy(day+30, tt.between, nth(server, 99), 443)
			}
			for i := range 12 {
				if tt.refused {
					w.refused(day+40+float64(i), inside, nth(tt.target, i), 443)
				} else {
					w.knock(day+40+float64(i), inside, nth(tt.target, i), 443)
				}
			}
			w.end()
			require.Equal(t, tt.named, len(w.phase(Open)) > 0)
		})
	}
}

// TestOutageIsOver: an outage of hours ago excuses nothing.
func TestOutageIsOver(t *testing.T) {
	var o outage
	for tag := range uint32(9) {
		o.fail(tag+1, int64(tag+1)*second)
	}
	require.True(t, o.lasts(99, 9*second))
	require.True(t, o.lasts(9, 9*second), "three others than itself")
	require.False(t, o.lasts(99, outageLife+8*second))
	o.work(443, 9*second)
	require.False(t, o.lasts(99, 9*second))
	require.Equal(t, []int64{1 * second, 9 * second}, []int64{o.from, o.to})
	o.work(443, 20*second)
	require.Equal(t, 9*second, o.to)
}

// TestOutageEnds: what began while the way out was gone is final when it is there again,
// and weighs nothing in a walk either.
func TestOutageEnds(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	for _, late := range []bool{false, true} {
		w := newWire(t, rules)
		for n := range 3 {
			w.busy(float64(n), nth("10.9.0.0", n), nth(server, n), 443)
		}
		for n := range 3 {
			w.knock(1000+float64(n), nth("10.9.0.0", n), nth(server, n), 443)
		}
		begin := 1005.0
		if late {
			begin = 1012
		}
		for i := range 12 {
			w.send(begin+float64(i)/2, w.echo(inside, nth("198.51.0.0", i)))
			if i == 11 && !late {
				w.busy(1011, nth("10.9.0.0", 1), nth(server, 1), 443)
			} else if i == 0 && late {
				w.busy(1012, nth("10.9.0.0", 1), nth(server, 1), 443)
			}
		}
		w.idle(1100)
		w.end()
		require.Equal(t, late, len(w.phase(Open)) > 0)
	}
}

// TestOutagePorts: the latest ports at which something worked are kept, each once.
func TestOutagePorts(t *testing.T) {
	var o outage
	for _, port := range []uint16{80, 443, 80, 25, 443, 993, 853} {
		o.work(port, 0)
	}
	require.Equal(t, [outagePorts]uint16{853, 993, 443, 25}, o.worked)
}

// TestNoWayOverIPv6: where hosts have addresses of IPv6 and no way out, what they try
// over IPv6 beside IPv4 is no search.
func TestNoWayOverIPv6(t *testing.T) {
	const ours, other = "2001:db8:1::7", "2001:db8:1::8"
	there := func(i int) string { return fmt.Sprintf("2001:db8:ffff::%x", i+1) }
	for _, tt := range []struct {
		name  string
		four  uint16 // the port at which IPv4 works
		play  func(w *wire)
		named bool
	}{
		{"nothing came back", 443, func(*wire) {}, false},
		{"at another port", 80, func(*wire) {}, true},
		{"something works", 443, func(w *wire) { w.busy(3, other, there(99), 443) }, true},
		{"something refuses", 443, func(w *wire) { w.refused(3, other, there(99), 443) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := profile(t, "default")
			rules.Home = append(rules.Home, netip.MustParsePrefix("2001:db8:1::/48"))
			w := newWire(t, rules)
			w.busy(0, inside, nth(server, 1), tt.four)
			tt.play(w)
			for i := range 12 {
				w.knock(10+float64(i), ours, there(i), 443)
			}
			w.end()
			require.Equal(t, tt.named, len(w.phase(Open)) > 0)
		})
	}
}
