package detect

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAllowedWithDecoys: of a scan under several addresses every one must be allowed.
// Else a scanner could hide behind one that is.
func TestAllowedWithDecoys(t *testing.T) {
	for _, c := range []struct{ name, entry, why string }{
		{"all of them", "{name: x, note: why, src: 203.0.0.0/24}", ""},
		{"all, one by one", "{name: x, note: why, src: [203.0.0.1, 203.0.0.2, 203.0.0.3]}", ""},
		{"one of them", "{name: x, note: why, src: 203.0.0.2}", "source 203.0.0.1"},
		{"the first of them", "{name: x, note: why, src: 203.0.0.1}", "source 203.0.0.2"},
		{"all, but not the ports", "{name: x, note: why, src: 203.0.0.0/24, port: 1-30}", "port 31"},
		{"none", "{name: x, note: why, src: 192.0.2.1}", "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, allowing(t, c.entry))
			d := newDecoys("203.0.113.0", 3, 1)
			for i := range 50 {
				d.send(w, float64(i)/50, server, uint16(i+1))
			}
			s := w.closed(t)
			require.Equal(t, 3, s.Sources)
			switch c.why {
			case "":
				require.Equal(t, authorized("x"), s.Authorized)
				require.Nil(t, s.Outside)
			case "-":
				require.Empty(t, s.Authorized)
				require.Nil(t, s.Outside)
			default:
				require.Empty(t, s.Authorized)
				require.Equal(t, c.why, s.Outside.Reason)
			}
			require.Equal(t, c.why == "", s.Risk == 0)
		})
	}
}

// TestAllowedUntilDecoysJoin: what a scan did before it went over into one by many
// counts there as well.
func TestAllowedUntilDecoysJoin(t *testing.T) {
	for _, c := range []struct{ name, entry, alone, together string }{
		{"within", "{name: x, note: why, src: 203.0.0.0/24}", "", ""},
		{"beyond before", "{name: x, note: why, src: 203.0.0.0/24, port: [1-15, 17-50]}", "port 16", "port 16"},
		{"beyond afterwards", "{name: x, note: why, src: 203.0.0.0/24, port: 1-45}", "", "port 46"},
		{"with a stranger", "{name: x, note: why, src: 203.0.0.1}", "", "source 203.0.0.2"},
		{"of a stranger", "{name: x, note: why, src: [203.0.0.2, 203.0.0.3]}", "-", "source 203.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, allowing(t, c.entry))
			d := newDecoys("203.0.113.0", 3, 0)
			for i := range 50 {
				ps := d.probe(server, uint16(i+1))
				if i < 20 {
					ps = ps[:1]
				}
				for _, p := range ps {
					w.send(float64(i)/50, p)
					w.send(float64(i)/50+0.0001, d.answer(p, false)...)
				}
			}
			w.end()
			closed := w.phase(Close)
			require.Len(t, closed, 2)
			require.Equal(t, closed[1].ID, closed[0].MergedInto)
			for i, want := range []string{c.alone, c.together} {
				switch want {
				case "":
					require.Equal(t, authorized("x"), closed[i].Authorized)
				case "-":
					require.Empty(t, closed[i].Authorized)
					require.Nil(t, closed[i].Outside)
				default:
					require.Empty(t, closed[i].Authorized)
					require.Equal(t, want, closed[i].Outside.Reason)
				}
			}
		})
	}
}

// TestAllowedToScanOnly: what a scanner says to what it found is held against its
// entries like an attempt; that a host calls it back is never allowed.
func TestAllowedToScanOnly(t *testing.T) {
	const login = 40 // at 22:20:40; the scan closes a quarter of an hour later
	for _, c := range []struct {
		name, entry string
		then        func(w *wire)
		verdict     Verdict
		why         string
	}{
		{"a login", "", func(w *wire) { w.talk(login, outside, quarry, 110, 60, 2_000, 3_000) }, Engaged, ""},
		{"a login after hours", ", when: 22:20-22:21", func(w *wire) { w.talk(70, outside, quarry, 110, 60, 2_000, 3_000) }, Engaged, "Tue 22:21 UTC"},
		{"a call back", "", func(w *wire) { w.talk(login, quarry, outside, 4444, 1, 20, 30) }, Engaged, "called back by 10.1.2.3"},
		{"a login days later", "", func(w *wire) { w.idle(2000); w.talk(3*day, outside, quarry, 110, 60, 2_000, 3_000) }, Engaged, ""},
		{"a login days later, after hours", ", when: tue", func(w *wire) { w.idle(2000); w.talk(3*day, outside, quarry, 110, 60, 2_000, 3_000) }, Engaged, "Fri 22:20 UTC"},
		{"a call back days later", "", func(w *wire) { w.idle(2000); w.talk(3*day, quarry, outside, 4444, 1, 20, 30) }, Engaged, "called back by 10.1.2.3"},
		{"nothing more", "", func(*wire) {}, Answered, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, allowing(t, "{name: x, note: why, src: 203.0.113.7, dst: 10.1.2.3"+c.entry+"}"))
			w.scan(0)
			c.then(w)
			w.end()
			closed := w.phase(Close)
			if len(closed) > 1 {
				require.Equal(t, authorized("x"), closed[0].Authorized)
				require.Len(t, w.phase(Reopen), 1)
				require.Equal(t, c.why != "", w.phase(Reopen)[0].Outside != nil)
			}
			last := closed[len(closed)-1]
			require.Equal(t, c.verdict, last.Verdict)
			require.Equal(t, c.why == "", last.Risk == 0)
			if c.why == "" {
				require.Equal(t, authorized("x"), last.Authorized)
				return
			}
			require.Equal(t, c.why, last.Outside.Reason)
			told := 0
			for _, s := range w.scans {
				if slices.Contains(s.Added, "authorization") {
					told++
				}
			}
			require.Equal(t, 1, told)
		})
	}
}
