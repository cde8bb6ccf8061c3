package detect

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// small are bounds of tables that are quickly made.
func small() Config {
	return Config{Gate: 1024, Suspects: 256, Door: 256, Pairs: 256, Facts: 256, History: 4096, Sources: 1024, Groups: 1024, Walks: 64}
}

// busyWire has seen something of each kind: an open scan of several parts, one that is closed and
// open again, crowds of both kinds, an FTP client that orders, an hour beyond others.
func busyWire(t require.TestingT, cfg Config) *wire {
	rules, err := Profile("default")
	require.NoError(t, err)
	w := &wire{table: flows.NewTable(flows.TableConfig{}), port: 40000, seq: 7777}
	cfg.Report = func(s Scan) { w.scans = append(w.scans, s) }
	w.engine, err = New(cfg, rules)
	require.NoError(t, err)
	bounce(w, "203.0.113.77", "10.9.9.9", 12, 1)
	w.scan(20)
	w.idle(2000)
	w.talk(2100, outside, quarry, 110, 60, 9000, 9000)
	for i := range 30 {
		w.refused(2200+float64(i), "203.0.113.9", server, uint16(100+i))
		w.knock(2200+float64(i), "203.0.113.9", nth(inside, i), 22)
		w.busy(2200+float64(i), nth("10.3.0.0", i), "198.51.100.80", 443)
	}
	d := newDecoys("203.0.114.0", 4, 1)
	for port := range uint16(20) {
		d.send(w, 2250, inside, 1000+port)
	}
	deal(1, 30, 200, 0.25, func(seconds float64, src string, n int) { w.refused(2300+seconds, src, inside, uint16(n)) })
	w.engine.Extend(&flows.Summary{Source: address("203.0.113.9"), First: at(2210), Last: at(2230), Packets: [flows.NDP + 1]uint64{flows.TCPSYN: 90}, Targets: 80})
	w.idle(2400)
	return w
}

func loaded(t require.TestingT, from *Engine, cfg Config) *Engine {
	cfg.Report = from.cfg.Report
	e, err := New(cfg, from.given)
	require.NoError(t, err)
	require.NoError(t, e.LoadState(from.AppendState(nil)))
	return e
}

// TestStateIsWhole: what each kind of scan is told of later is the same with a restart in between.
func TestStateIsWhole(t *testing.T) {
	rest := func(w *wire) []Scan {
		w.scans = nil
		w.refused(2401, "203.0.113.9", server, 999)
		w.talk(2402, outside, quarry, 110, 60, 9000, 9000)
		w.end()
		return w.scans
	}
	w := busyWire(t, small())
	require.Len(t, w.engine.reopened, 1)
	require.True(t, slices.ContainsFunc(w.engine.crowds.all, func(g *crowd) bool { return g.divides && g.inc != nil }))
	require.True(t, slices.ContainsFunc(w.engine.crowds.all, func(g *crowd) bool { return !g.divides && g.inc != nil }))
	want := rest(w)
	require.GreaterOrEqual(t, len(want), 4)
	w = busyWire(t, small())
	w.engine = loaded(t, w.engine, small())
	require.Equal(t, want, rest(w))
}

// TestSavingChangesNothing for the engine that is saved, and gives the same bytes each time.
func TestSavingChangesNothing(t *testing.T) {
	plain, saved := busyWire(t, small()), busyWire(t, small())
	first := saved.engine.AppendState(nil)
	require.Equal(t, first, saved.engine.AppendState([]byte("before"))[len("before"):])
	plain.end()
	saved.end()
	require.Equal(t, plain.scans, saved.scans)
}

// TestSavingLeavesRecordsAlone reads, while a state is saved, what others have of the engine: the race
// detector finds what is set.
func TestSavingLeavesRecordsAlone(t *testing.T) {
	w := busyWire(t, small())
	saved := make(chan struct{})
	go func() {
		w.engine.AppendState(nil)
		close(saved)
	}()
	learning, scans := w.engine.Learning(), w.scans
	for reading := true; reading; {
		select {
		case <-saved:
			reading = false
		default:
			require.Equal(t, learnServices, learning[len(learning)-1].What)
			for i := range scans {
				for _, g := range scans[i].Engaged {
					require.True(t, g.Dst.IsValid())
				}
			}
		}
	}
}

// TestStateOfAClockThatWasSet: the line clock of the run that loads it is the capture's own.
func TestStateOfAClockThatWasSet(t *testing.T) {
	const ahead = 7000 * second
	w := newWire(t, profile(t, "default"))
	for i := range 20 {
		w.refused(float64(i), outside, server, uint16(100+i))
	}
	w.engine.health.shift -= ahead // as if the line clock had been that far ahead
	e := loaded(t, w.engine, Config{})
	require.Equal(t, w.engine.now-ahead, e.now)
	require.Len(t, e.open, 1)
	require.Equal(t, w.engine.open[0].lastLine-ahead, e.open[0].lastLine)
	require.Equal(t, w.engine.open[0].last, e.open[0].last)
}

func TestStateOfAnother(t *testing.T) {
	w := busyWire(t, small())
	state := w.engine.AppendState(nil)
	h, err := ReadStateHeader(state)
	require.NoError(t, err)
	require.Equal(t, Time(at(2400)), h.Time)
	load := func(cfg Config, change func(*Rules), data []byte) string {
		rules := w.engine.given
		rules.Rules = slices.Clone(rules.Rules)
		change(&rules)
		e, err := New(cfg, rules)
		require.NoError(t, err)
		err = e.LoadState(data)
		require.Error(t, err)
		return err.Error()
	}
	same := func(*Rules) {}
	seeded, larger := small(), small()
	seeded.Seed, larger.Facts = 1, 512
	require.Contains(t, load(seeded, same, state), "another seed")
	require.Contains(t, load(larger, same, state), "other rules, home networks or memory")
	require.Contains(t, load(small(), func(r *Rules) { r.Rules[0].Over++ }, state), "other rules")
	require.Contains(t, load(small(), func(r *Rules) { r.Home = r.Home[1:] }, state), "home")
	newer := slices.Clone(state)
	newer[len(stateMagic)]++
	require.Contains(t, load(small(), same, newer), "version 2")
	require.Contains(t, load(small(), same, []byte("synoptic")), "no state")
	require.Contains(t, load(small(), same, nil), "no state")
	for n := 0; n < len(state); n += 1 + len(state)/500 {
		damaged := slices.Clone(state)
		damaged[n] ^= 0x10
		load(small(), same, damaged)
		load(small(), same, state[:n])
	}
}

// TestAllowListAfterLoading: what an open scan may do it still may, unless the list is another.
func TestAllowListAfterLoading(t *testing.T) {
	entry := func(name string) string {
		return "allow:\n  - {name: " + name + ", src: " + outside + ", port: 100-200, note: why}\n"
	}
	for after, want := range map[string]string{entry("ours"): "ours", entry("others"): "", "": ""} {
		rules := profile(t, "default")
		allowed := func(text string) (list []Allowance) {
			if text != "" {
				var err error
				list, err = ParseAllow([]byte(text), "test")
				require.NoError(t, err)
			}
			return list
		}
		rules.Allow = allowed(entry("ours"))
		w := newWire(t, rules)
		for i := range 20 {
			w.refused(float64(i), outside, server, uint16(100+i))
		}
		state := w.engine.AppendState(nil)
		rules.Allow = allowed(after)
		e, err := New(Config{Report: func(s Scan) { w.scans = append(w.scans, s) }}, rules)
		require.NoError(t, err)
		require.NoError(t, e.LoadState(state))
		w.engine = e
		w.refused(21, outside, server, 120)
		got := w.closed(t)
		if want == "" {
			require.Empty(t, got.Authorized)
			continue
		}
		require.Len(t, got.Authorized, 1)
		require.Equal(t, want, got.Authorized[0].Name)
	}
}

// sealed is a state of an engine with a body that may be anything.
func sealed(e *Engine, body []byte) []byte {
	empty := e.AppendState(nil)[:stateHeader]
	data := append(slices.Clone(empty), body...)
	binary.LittleEndian.PutUint64(data[stateHeader-16:], uint64(len(body)))
	binary.LittleEndian.PutUint64(data[stateHeader-8:], stateSum(data))
	return data
}

// FuzzLoadState loads what has the right checksum, and can be anything else, and goes on with it.
func FuzzLoadState(f *testing.F) {
	cfg := small()
	w := busyWire(f, cfg)
	whole := w.engine.AppendState(nil)[stateHeader:]
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	empty, err := New(cfg, w.engine.given)
	require.NoError(f, err)
	f.Add(empty.AppendState(nil)[stateHeader:])
	f.Fuzz(func(t *testing.T, body []byte) { goOnWith(t, empty, body) })
}

// TestStateOfAnything loads states with other bytes in one place.
func TestStateOfAnything(t *testing.T) {
	w := busyWire(t, small())
	whole := w.engine.AppendState(nil)[stateHeader:]
	empty, err := New(small(), w.engine.given)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		body := slices.Clone(whole)
		body[r.IntN(len(body))] = uint8(r.Uint32())
		goOnWith(t, empty, body)
	}
}

// goOnWith loads a body and observes a while, if it can be loaded.
func goOnWith(t *testing.T, empty *Engine, body []byte) {
	w := &wire{table: flows.NewTable(flows.TableConfig{MaxEntries: 1024}), port: 40000, seq: 7777}
	e, err := New(small(), empty.given)
	require.NoError(t, err)
	if e.LoadState(sealed(e, body)) != nil {
		return
	}
	w.engine = e
	_ = e.AppendState(nil)
	for i := range 12 {
		w.refused(2401, "203.0.113.9", server, uint16(500+i))
		w.knock(2401, nth("203.0.113.0", i), inside, uint16(i))
		w.busy(2402, outside, inside, 22)
	}
	w.idle(2410)
	w.end()
}

// TestFieldsOfAState: who adds a field to what is saved decides what becomes of it, and of
// stateVersion.
func TestFieldsOfAState(t *testing.T) {
	for _, known := range []struct {
		of     any
		fields int
	}{
		{Engine{}, 34},
		{attempted{}, 20},
		{source{}, 25},
		{group{}, 7},
		{walker{}, 8},
		{incident{}, 40},
		{beyond{}, 5},
		{part{}, 13},
		{targetState{}, 6},
		{progress{}, 4},
		{said{}, 6},
		{watch{}, 11},
		{reach{}, 3},
		{authority{}, 6},
		{crowd{}, 7},
		{member{}, 2},
		{outage{}, 6},
		{order{}, 4},
		{fact{}, 3},
		{health{}, 4},
	} {
		require.Equal(t, known.fields, reflect.TypeOf(known.of).NumField(), "fields of %T", known.of)
	}
	// A record of which every field is set, as the coder panics at a kind that it does not know.
	var sc Scan
	fill(reflect.ValueOf(&sc).Elem(), 1)
	c := &coder{}
	record(c, &sc)
	c.reading = true
	var got Scan
	record(c, &got)
	require.NoError(t, c.err)
	require.Empty(t, c.buf)
	require.Equal(t, sc, got)
}

// fill sets all that a value consists of.
func fill(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(n))
	case reflect.Float64:
		v.SetFloat(float64(n) / 7)
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d", strings.Repeat("x", n), n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n+1)
		fill(v.Index(1), n+2)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n+1)
	case reflect.Struct:
		if v.Type().String() == "netip.Addr" {
			v.Set(reflect.ValueOf(flows.Addr([16]byte{10: 0xff, 11: 0xff, 15: byte(n)})))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n+i)
		}
	default:
		panic(v.Type().String())
	}
}

func TestCoderTakesNoMoreThanThereIs(t *testing.T) {
	for name, read := range map[string]func(*coder){
		"list":     func(c *coder) { var l []uint64; codeList(c, &l, 8, c.U64) },
		"text":     func(c *coder) { var s string; c.text(&s) },
		"negative": func(c *coder) { c.buf = binary.AppendVarint(nil, -1); require.Zero(t, c.Len(0, 1)) },
		"too big":  func(c *coder) { var v uint8; number(c, &v) },
		"no number": func(c *coder) {
			c.buf = binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN()))
			var f float64
			c.F64(&f)
		},
		"empty": func(c *coder) { c.buf = nil; var v uint64; c.U64(&v) },
	} {
		t.Run(name, func(t *testing.T) {
			c := &coder{reading: true, buf: binary.AppendVarint(nil, 1<<40)}
			read(c)
			require.Error(t, c.err)
			require.Empty(t, c.buf)
		})
	}
}

// TestStateOfMoreScansThanRoom: where open scans hold the few targets that each always may, and
// more of them than there is room for, they go on as they were.
func TestStateOfMoreScansThanRoom(t *testing.T) {
	cfg := small()
	cfg.OpenTargets = 300
	var closed []Scan
	cfg.Report = func(s Scan) {
		if s.Phase == Close {
			closed = append(closed, s)
		}
	}
	e, err := New(cfg, profile(t, "default"))
	require.NoError(t, err)
	fail(e, 18, 40)
	require.Negative(t, e.room.left)
	again := loaded(t, e, cfg)
	require.Equal(t, e.room, again.room)
	e.Close()
	want := closed
	require.Len(t, want, 18)
	closed = nil
	again.Close()
	require.Equal(t, want, closed)
	require.Equal(t, room{300, 300}, again.room)
}

// TestRoomOfASavedScan: targets beyond the few that each scan may hold are no more than there is
// room for.
func TestRoomOfASavedScan(t *testing.T) {
	r := room{100, 100}
	require.True(t, r.restore(16))
	require.True(t, r.restore(1))
	require.Equal(t, 100, r.left)
	require.True(t, r.restore(76))
	require.False(t, r.restore(57))
	require.True(t, r.restore(56))
	require.Zero(t, r.left)
	require.True(t, r.restore(16))
}
