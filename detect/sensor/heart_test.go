package sensor_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// live is a run on one goroutine beside the test's, by turns.
type live struct {
	*prompter
	start   int64
	notices []detect.Notice
	done    chan error
}

func begin(t *testing.T, file string) (*live, []capture.Frame) {
	t.Helper()
	src, fs := prompted(t, file)
	l := &live{prompter: src, start: fs[0].Time, done: make(chan error)}
	s, err := sensor.New(sensor.Config{Inline: true, Heartbeat: time.Minute, OnNotice: func(n detect.Notice) {
		if n.Event == detect.Health && n.About != detect.HealthLearning {
			l.notices = append(l.notices, n)
		}
	}})
	require.NoError(t, err)
	go func() {
		_, err := s.Run(context.Background(), src)
		l.done <- err
	}()
	<-l.asked
	return l, fs
}

// send has frames read that come at a time of the line clock, in seconds since the first.
func (l *live) send(fs []capture.Frame, seconds int64) {
	at := make([]capture.Frame, len(fs))
	for i, f := range fs {
		f.Time = l.start + seconds*1e9
		at[i] = f
	}
	l.tell <- at
	<-l.asked
}

// idle has nothing come until a time.
func (l *live) idle(seconds int64) {
	l.now = l.start + seconds*1e9
	l.tell <- nil
	<-l.asked
}

// told is what was said since it was asked last: about what, from when, how long, how often.
func (l *live) told() (all []string) {
	for _, n := range l.notices {
		text := fmt.Sprintf("%s %d+%d", n.About, (int64(n.First)-l.start)/1e9, int64(n.Last-n.First)/1e9)
		if n.Phase != "" {
			text = string(n.Phase) + " " + text
		}
		if n.Count > 0 {
			text += fmt.Sprintf(" %d", n.Count)
		}
		if n.Counters != nil {
			text += fmt.Sprintf(" %d read %d lost", n.Counters.Packets, n.Counters.Dropped)
		}
		all = append(all, text)
	}
	l.notices = nil
	return all
}

func (l *live) end(t *testing.T) {
	t.Helper()
	close(l.tell)
	require.NoError(t, <-l.done)
}

// TestHeartbeat: at intervals of the line clock it is told how the run is doing, with packets or
// without, and what has become of what was wrong.
func TestHeartbeat(t *testing.T) {
	l, fs := begin(t, "../../testdata/captures/syn-vertical.pcap")
	l.send(fs[:10], 0)
	l.idle(59)
	require.Empty(t, l.told())
	l.idle(60)
	require.Equal(t, []string{"heartbeat 0+60 10 read 0 lost"}, l.told())

	// Nothing comes for an interval, then for another: that is told once.
	l.idle(120)
	require.Equal(t, []string{"open dark 60+60", "heartbeat 60+60 10 read 0 lost"}, l.told())
	l.idle(180)
	require.Equal(t, []string{"heartbeat 120+60 10 read 0 lost"}, l.told())
	dark := l.start + 60e9
	l.send(fs[10:20], 200)
	l.idle(240)
	closed := l.notices[0]
	require.Equal(t, []string{"close dark 60+180", "heartbeat 180+60 20 read 0 lost"}, l.told())
	require.Equal(t, detect.Time(dark), closed.First)

	// Of what is lost, a share below one in a hundred is in the counters only.
	l.dropped = 1
	l.send(fs[20:120], 250)
	l.idle(300)
	require.Equal(t, []string{"heartbeat 240+60 120 read 1 lost"}, l.told())
	l.dropped = 3
	l.send(fs[120:200], 310)
	l.idle(360)
	require.Equal(t, []string{"drops 300+60 2", "heartbeat 300+60 200 read 3 lost"}, l.told())
	l.end(t)
	require.Equal(t, []string{"drops 310+0 3"}, l.told(), "the total comes last, at the time of the latest packet")
}

// TestHeartbeatWithoutPackets: a run to which nothing ever came says so.
func TestHeartbeatWithoutPackets(t *testing.T) {
	l, fs := begin(t, "../../testdata/captures/syn-vertical.pcap")
	l.idle(10)
	require.Empty(t, l.told())
	l.idle(75)
	require.Equal(t, []string{"open dark 10+65", "heartbeat 10+65 0 read 0 lost"}, l.told())
	l.send(fs[:10], 80)
	l.idle(135)
	require.Equal(t, []string{"close dark 10+125", "heartbeat 75+60 10 read 0 lost"}, l.told())
	l.end(t)
}

// TestNoHeartbeat: without an interval nothing is told while the run goes on.
func TestNoHeartbeat(t *testing.T) {
	var notices []detect.Notice
	s, err := sensor.New(sensor.Config{OnNotice: func(n detect.Notice) { notices = append(notices, n) }})
	require.NoError(t, err)
	_, err = s.Run(context.Background(), open(t, "../../testdata/captures/scan-day.pcapng"))
	require.NoError(t, err)
	for _, n := range notices {
		require.NotContains(t, []string{detect.HealthHeartbeat, detect.HealthDark}, n.About)
	}
}
