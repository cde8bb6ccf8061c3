package detect

import (
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
		o.fail(tag+1, int64(tag)*second)
	}
	require.True(t, o.lasts(99, 9*second))
	require.True(t, o.lasts(9, 9*second), "three others than itself")
	require.False(t, o.lasts(99, outageLife+7*second))
	o.work()
	require.False(t, o.lasts(99, 9*second))
}
