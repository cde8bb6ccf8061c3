package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/metrics"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// mortal is a source of a capture for a run that is killed: it does between two batches what such a run
// does by the clock, and ends when the run is to be dead.
type mortal struct {
	capture.Source
	skip, left int           // frames of earlier runs, and until the end of this one
	between    func(now int) // is told how many frames have been read
	read       int
}

func (m *mortal) Read(fs []capture.Frame) (n int, err error) {
	m.between(m.read)
	for m.read < m.skip {
		n, err := m.Source.Read(fs[:min(len(fs), m.skip-m.read)])
		if m.read += n; err != nil {
			return 0, err
		}
	}
	if m.left <= 0 {
		return 0, io.EOF
	}
	n, err = m.Source.Read(fs[:min(len(fs), m.left, 50)])
	for i := range fs[:n] { // ten minutes of traffic, with breaks in which scans fall idle
		fs[i].Time += int64((m.read+i)/2500) * int64(20*time.Minute)
	}
	m.read, m.left = m.read+n, m.left-n
	return n, err
}

// flaky is a file that outlives runs, on a disk that is full now and then.
type flaky struct {
	bytes.Buffer
	room int
}

func (d *flaky) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// TestKilledRunsTellEachEndOnce: of a day's traffic, read by runs that are killed one after the other,
// each scan that a state was saved of has one end, however the kills lie to saving and flushing, and while
// the output can or cannot be written to.
func TestKilledRunsTellEachEndOnce(t *testing.T) {
	var all kills
	for seed := range uint64(4) {
		all.run(t, rand.New(rand.NewPCG(seed, 4)))
	}
	require.Greater(t, all.saved, 10, "scans of which a state was saved")
	require.Positive(t, all.settled, "scans that had closed when a run was killed whose state did not know it")
	require.Positive(t, all.left, "runs that were killed while records waited")
}

// kills counts what runs met that were killed.
type kills struct {
	saved   int // scans that states were saved of
	settled int // scans of which the end had been told when a run was killed
	left    int // runs that left something to be written
}

// run reads the day.
func (all *kills) run(t *testing.T, r *rand.Rand) {
	t.Helper()
	path, d := filepath.Join(t.TempDir(), "state"), &flaky{}
	saved := map[string]bool{}
	for at, over := 0, false; !over; {
		if text := d.Bytes(); len(text) > 0 && text[len(text)-1] != '\n' {
			d.WriteByte('\n') // as appendTo does
		}
		at, over = all.life(t, r, path, d, at, saved)
	}
	all.saved += len(saved)
	opened, closed := map[string]int{}, map[string]int{}
	for line := range bytes.Lines(d.Bytes()) {
		var rec struct{ Event, Phase, ID string }
		if json.Unmarshal(line, &rec) != nil || rec.Event != "scan" {
			continue
		}
		switch detect.Phase(rec.Phase) {
		case detect.Open, detect.Reopen:
			opened[rec.ID]++
		case detect.Close:
			closed[rec.ID]++
		}
	}
	for id, n := range closed {
		// One that opened when no state was saved any more may open again by what was known before.
		require.LessOrEqual(t, n, opened[id], "ends of %s", id)
	}
	for id := range saved {
		require.Positive(t, closed[id], "ends of %s", id)
	}
}

// life is a run that goes on from frame at, until it is killed, or the day is over.
func (all *kills) life(t *testing.T, r *rand.Rand, path string, d *flaky, at int, saved map[string]bool) (read int, over bool) {
	t.Helper()
	var said bytes.Buffer
	plan := config.Plan{State: path, Memory: 64 << 20, Seed: r.Uint64()}
	k, err := openKeeper(&plan, NewVoice(&said), time.Now())
	require.NoError(t, err)
	require.Empty(t, said.String())
	all.left += len(k.waiting.left)
	spool := &spool{w: d}
	out := &fanout{lasting: true, say: k.say, sinks: []*sink{{buf: spool, encoder: output.NewJSON(spool), spec: "json"}}}
	app := &App{keeper: k, out: out, say: k.say}
	require.NoError(t, app.inherit())
	var told []string // scans of which something was
	cfg := sensor.Config{Inline: true, Seed: plan.Seed, OnScan: func(s detect.Scan) {
		out.scan(&s)
		k.note(&s)
		told = append(told, s.ID)
	}}
	_, err = cfg.Fit(plan.Memory)
	require.NoError(t, err)
	s, err := app.begin(cfg)
	require.NoError(t, err)
	all.settled += len(k.closed)
	src, err := capture.Open("../../../testdata/captures/scan-day.pcapng", capture.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, src.Close()) }()
	m := &mortal{Source: src, skip: at, left: 200 + r.IntN(800)}
	d.room = 1 << 20
	m.between = func(int) {
		switch r.IntN(12) {
		case 0:
			k.save(s.Save, app.secure)
			for _, id := range told {
				saved[id] = true
			}
		case 1, 2, 3, 4, 5:
			app.flush()
		case 6:
			d.room = r.IntN(2) * r.IntN(1000) // or none at all
		case 7, 8:
			d.room = 1 << 20
		}
	}
	sum, err := s.Run(context.Background(), readUntil{m, func() {
		if over = m.left > 0; !over {
			d.room = 0 // it is dead: what it still says nobody hears
		}
	}})
	require.NoError(t, err)
	require.Empty(t, sum.Damage)
	if over {
		d.room = 1 << 20
		app.flush()
	}
	return m.read, over
}

// readUntil tells when the source has no more, before the run closes what is open.
type readUntil struct {
	capture.Source
	ended func()
}

func (u readUntil) Read(fs []capture.Frame) (int, error) {
	n, err := u.Source.Read(fs)
	if errors.Is(err, io.EOF) {
		u.ended()
	}
	return n, err
}

// keptState is a state that can be loaded.
func keptState(t *testing.T, seed uint64) []byte {
	t.Helper()
	s, err := sensor.New(sensor.Config{Seed: seed})
	require.NoError(t, err)
	return s.Save(nil)
}

func TestStateThatIsOfNoUse(t *testing.T) {
	good := keptState(t, 7)
	cut := good[:len(good)-3]
	for name, c := range map[string]struct {
		data []byte
		plan config.Plan
		now  time.Time
		want string
	}{
		"none":      {[]byte("something else"), config.Plan{}, time.Now(), "it is no state of synoptic"},
		"cut off":   {cut, config.Plan{}, time.Now(), "it is damaged"},
		"empty":     {nil, config.Plan{}, time.Now(), "it is no state of synoptic"},
		"of later":  {good, config.Plan{}, time.Unix(-3600, 0), "it was saved at 1970-01-01T00:00:00Z, and it is 1969-12-31T23:00:00Z"},
		"of a seed": {good, config.Plan{Seed: 8, Seeded: true}, time.Now(), "it was saved with another --seed"},
	} {
		t.Run(name, func(t *testing.T) {
			c.plan.State, c.plan.Memory = filepath.Join(t.TempDir(), "state"), 64<<20
			require.NoError(t, os.WriteFile(c.plan.State, c.data, 0o600))
			var said bytes.Buffer
			k, err := openKeeper(&c.plan, NewVoice(&said), c.now)
			require.NoError(t, err)
			require.Nil(t, k.loaded)
			require.Contains(t, said.String(), "synoptic: warning: the state in "+c.plan.State+" cannot be gone on from: "+c.want)
			require.Contains(t, said.String(), "synoptic: hint: it is now "+c.plan.State+".old; this run begins anew")
			moved, err := os.ReadFile(c.plan.State + ".old")
			require.NoError(t, err)
			require.Len(t, moved, len(c.data))
			require.NoFileExists(t, c.plan.State)
		})
	}
}

func TestStateGivesItsSeed(t *testing.T) {
	plan := config.Plan{State: filepath.Join(t.TempDir(), "state"), Memory: 64 << 20, Seed: 99}
	require.NoError(t, os.WriteFile(plan.State, keptState(t, 7), 0o600))
	k, err := openKeeper(&plan, NewVoice(io.Discard), time.Now())
	require.NoError(t, err)
	require.NotNil(t, k.loaded)
	require.Equal(t, uint64(7), plan.Seed)
}

// TestStateOfOtherBounds is found out about only when the sensor is made.
func TestStateOfOtherBounds(t *testing.T) {
	plan := config.Plan{State: filepath.Join(t.TempDir(), "state"), Memory: 64 << 20}
	require.NoError(t, os.WriteFile(plan.State, keptState(t, 7), 0o600))
	var said bytes.Buffer
	a := &App{}
	var err error
	a.keeper, err = openKeeper(&plan, NewVoice(&said), time.Now())
	require.NoError(t, err)
	cfg := sensor.Config{Seed: plan.Seed}
	cfg.Engine.Facts = 1024
	_, err = a.begin(cfg)
	require.NoError(t, err)
	require.Contains(t, said.String(), "other rules, home networks or memory")
	require.FileExists(t, plan.State+".old")
}

// TestSavingThatFailsIsSaidOnce, and leaves the old state and nothing else behind.
func TestSavingThatFailsIsSaidOnce(t *testing.T) {
	plan := config.Plan{State: filepath.Join(t.TempDir(), "state"), Memory: 64 << 20}
	var said bytes.Buffer
	k, err := openKeeper(&plan, NewVoice(&said), time.Now())
	require.NoError(t, err)
	remembered := func(dst []byte) []byte { return append(dst, "all"...) }
	flush := func() error { return nil }
	k.save(remembered, flush)
	full := errors.New("no space left on device")
	k.write = func(string, []byte) error { return full }
	k.note(&detect.Scan{ID: "a", Phase: detect.Close})
	k.deliver(k.mark())
	k.save(remembered, flush)
	k.save(remembered, flush)
	require.Equal(t, "synoptic: warning: the state cannot be saved: no space left on device; it is tried again\n", said.String())
	said.Reset()
	again, err := k.read()
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, again, "the old state does not know of it")
	k.write = replaceFile
	require.Equal(t, metrics.Saved{Saves: 1, Failures: 2, At: k.saved().At, Took: k.saved().Took, Bytes: 3}, k.saved())
	k.save(remembered, flush)
	require.Equal(t, "synoptic: the state is saved again\n", said.String())
	require.Equal(t, uint64(2), k.saved().Saves)
	require.WithinRange(t, k.saved().At, time.Now().Add(-time.Minute), time.Now())
	again, err = k.read()
	require.NoError(t, err)
	require.Empty(t, again)
	files, err := os.ReadDir(filepath.Dir(plan.State))
	require.NoError(t, err)
	require.Len(t, files, 2)
}

func TestStateThatCannotBeWritten(t *testing.T) {
	plan := config.Plan{State: filepath.Join(t.TempDir(), "missing", "state"), Memory: 64 << 20}
	_, err := openKeeper(&plan, NewVoice(io.Discard), time.Now())
	require.ErrorContains(t, err, "--state "+plan.State)
}

// TestJournal: the last word on a scan counts, and half a line does not.
func TestJournal(t *testing.T) {
	j := journal{path: filepath.Join(t.TempDir(), "journal")}
	require.NoError(t, os.WriteFile(j.path, []byte("a closed\nb closed\nc closed\nb open\nc open\nc closed\n\x00\xff\nd clo"), 0o600))
	closed, err := j.read()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a", "c"}, closed)
}
