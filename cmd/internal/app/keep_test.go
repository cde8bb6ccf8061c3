package app

import (
	"bytes"
	"context"
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

// disk is what outlives a run: records that were flushed.
type disk struct {
	buffer, records []detect.Scan
	dead            bool
}

func (d *disk) flush() {
	if !d.dead {
		d.records = append(d.records, d.buffer...)
		d.buffer = nil
	}
}

// TestKilledRunsTellEachEndOnce: of a day's traffic, read by runs that are killed one after the other,
// each scan that a state was saved of has one end, however the kills lie to saving and flushing.
func TestKilledRunsTellEachEndOnce(t *testing.T) {
	saved, settled := 0, 0
	for seed := range uint64(4) {
		s, c := killed(t, rand.New(rand.NewPCG(seed, 4)))
		saved, settled = saved+s, settled+c
	}
	require.Greater(t, saved, 10, "scans of which a state was saved")
	require.Positive(t, settled, "scans that had closed when a run was killed whose state did not know it")
}

// killed reads the day, and returns how many scans the states were saved of, and of how many the end
// had been told when a run was killed.
func killed(t *testing.T, r *rand.Rand) (ofState, settled int) {
	const file = "../../../testdata/captures/scan-day.pcapng"
	path := filepath.Join(t.TempDir(), "state")
	d := &disk{}
	saved, opened, closed := map[string]bool{}, map[string]int{}, map[string]int{}
	for at, over := 0, false; !over; {
		plan := config.Plan{State: path, Memory: 64 << 20, Seed: r.Uint64()}
		var said bytes.Buffer
		k, err := openKeeper(&plan, NewVoice(&said), time.Now())
		require.NoError(t, err)
		d.buffer, d.dead = nil, false
		before := len(d.records) // what was told of later in a run that was killed, its state may not know
		app := &App{keeper: k}
		cfg := sensor.Config{Inline: true, Seed: plan.Seed, OnScan: func(s detect.Scan) {
			d.buffer = append(d.buffer, s)
			k.note(&s)
		}}
		_, err = cfg.Fit(plan.Memory)
		require.NoError(t, err)
		s, err := app.begin(cfg)
		require.NoError(t, err)
		require.Empty(t, said.String())
		settled += len(k.closed)
		flush := func() bool {
			told := k.mark()
			d.flush()
			k.deliver(told)
			return true
		}
		src, err := capture.Open(file, capture.Config{})
		require.NoError(t, err)
		m := &mortal{Source: src, skip: at, left: 200 + r.IntN(800)}
		m.between = func(int) {
			switch r.IntN(12) {
			case 0:
				k.save(s.Save, flush)
				for _, rec := range d.records[before:] {
					saved[rec.ID] = true
				}
			case 1, 2, 3, 4, 5, 6:
				flush()
			}
		}
		done := false
		sum, err := s.Run(context.Background(), readUntil{m, func() { done, d.dead = m.left > 0, m.left <= 0 }})
		require.NoError(t, err)
		require.NoError(t, src.Close())
		at = m.read
		if over = done; over {
			d.flush() // it came to its end
		}
		require.Empty(t, sum.Damage)
	}
	for _, rec := range d.records {
		switch rec.Phase {
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
	return len(saved), settled
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
	flush := func() bool { return true }
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
	k.save(remembered, flush)
	require.Equal(t, "synoptic: the state is saved again\n", said.String())
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
