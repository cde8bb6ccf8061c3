package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// bounce is a client that has an FTP server connect to ports of the quarry, all of
// which refuse, by orders that it gives so many seconds before.
func bounce(w *wire, client, ftp string, n int, before float64) {
	control := w.dial(client, ftp, 21)
	w.send(0, control.syn(), control.synack(), control.ack(), control.reply(), control.ask(), control.reply())
	for i := range n {
		p := control.ask()
		p.Marks |= flows.MarkOrder
		p.Question = flows.OrderOf(address(quarry), uint16(100+i))
		w.send(1+float64(i), p)
		w.refused(1+before+float64(i), ftp, quarry, uint16(100+i))
	}
}

func TestAbusedBy(t *testing.T) {
	const ftp = "10.9.9.9"
	for _, c := range []struct {
		name string
		play func(w *wire)
		want []string
	}{
		{"a bounce", func(w *wire) { bounce(w, outside, ftp, 20, 0.1) }, []string{outside}},
		{"a scan of its own", func(w *wire) {
			for i := range 20 {
				w.refused(float64(i), ftp, quarry, uint16(100+i))
			}
		}, nil},
		{"two orders of twenty targets", func(w *wire) {
			bounce(w, outside, ftp, 2, 0.1)
			for i := range 18 {
				w.refused(5+float64(i), ftp, quarry, uint16(200+i))
			}
		}, nil},
		{"orders to another server", func(w *wire) {
			bounce(w, outside, "10.9.9.8", 3, 0.1)
			for i := range 20 {
				w.refused(5+float64(i), ftp, quarry, uint16(100+i))
			}
		}, nil},
		{"by two clients, the one with more first", func(w *wire) {
			bounce(w, nth(outside, 2), ftp, 4, 0.1)
			control := w.dial(nth(outside, 1), ftp, 21)
			w.send(6, control.syn(), control.synack(), control.ack(), control.reply(), control.ask(), control.reply())
			for i := range 10 {
				p := control.ask()
				p.Marks |= flows.MarkOrder
				p.Question = flows.OrderOf(address(quarry), uint16(300+i))
				w.send(7+float64(i), p)
				w.refused(7.1+float64(i), ftp, quarry, uint16(300+i))
			}
		}, []string{nth(outside, 1), nth(outside, 2)}},
	} {
		w := newWire(t, profile(t, "default"))
		c.play(w)
		var got []string
		s := w.closed(t)
		require.Equal(t, ftp, s.Src.String(), c.name)
		for _, a := range s.AbusedBy {
			got = append(got, a.String())
		}
		require.Equal(t, c.want, got, c.name)
	}
}

// TestOrdersGoStale: an order explains what the server does within five minutes, and
// nothing that it did before.
func TestOrdersGoStale(t *testing.T) {
	var o orders
	client, ftp := address(outside), address("10.9.9.9")
	a := attempted{responder: address(quarry), port: 100, class: flows.ClassTCP}
	_, ok := o.behind(&ftp, &a)
	require.False(t, ok)
	o.add(&flows.Event{At: at(0), Attempt: flows.Attempt{
		Key: flows.Key{Initiator: client, Responder: ftp, Port: 21}, Question: flows.OrderOf(a.responder, a.port),
	}})
	for seconds, want := range map[float64]bool{-2: false, 0: true, 299: true, 301: false} {
		a.line = at(seconds)
		_, ok = o.behind(&ftp, &a)
		require.Equal(t, want, ok, "%v seconds later", seconds)
	}
}
