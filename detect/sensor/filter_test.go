package sensor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

func parse(t *testing.T, expr string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(expr)
	require.NoError(t, err)
	return f
}

// fitting are the frames of which a packet fits, and how many packets do not.
func fitting(fs []frame, f *filter.Filter) (kept []frame, left uint64) {
	d := flows.NewDecoder(flows.DecoderConfig{})
	for _, one := range fs {
		meta := flows.Meta{Time: one.Time, Len: one.Len, Link: one.link}
		for _, p := range d.Append(nil, one.Data, meta) {
			if f.Match(&p, one.Data, meta) {
				kept = append(kept, one)
			} else {
				left++
			}
		}
	}
	return kept, left
}

// filtered is a run with a filter: what it says, and its summary.
func filtered(t *testing.T, src capture.Source, cfg sensor.Config) (string, sensor.Summary) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	cfg.OnScan = func(s detect.Scan) { require.NoError(t, enc.Encode(s)) }
	cfg.OnAttempt = func(a flows.Attempt) {
		a.Iface = 0
		require.NoError(t, enc.Encode(a))
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	sum, err := s.Run(context.Background(), src)
	require.NoError(t, err)
	require.NoError(t, src.Close())
	return out.String(), sum
}

// TestFilterIsAsIfCutBefore holds that a run with a filter says what a run says
// of a capture that holds nothing but what fits. That one passes settled frames
// over undecoded, this one decodes them.
func TestFilterIsAsIfCutBefore(t *testing.T) {
	said, settled := 0, uint64(0)
	for _, file := range captures(t) {
		fs := frames(t, file)
		if fs[0].link > 255 {
			continue // gopacket's writers cannot say so
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, expr := range []string{
				"tcp", "not port 80", "net 203.0.113.0/24", "src net 203.0.113.0/24 or arp", "tcp[tcpflags] & tcp-syn != 0",
				"tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) == 0", "ip", "vlan", "len > 100",
			} {
				f := parse(t, expr)
				kept, left := fitting(fs, f)
				got, sum := filtered(t, open(t, file), sensor.Config{Filter: f, Batch: 7})
				require.Equal(t, left, sum.Filtered, expr)
				settled += sum.Settled
				if len(kept) == 0 {
					require.Empty(t, got, expr)
					continue
				}
				want, cut := filtered(t, read(t, asPcap(t, kept)), sensor.Config{})
				require.Equal(t, want, got, expr)
				require.Equal(t, cut.Settled, sum.Settled, expr)
				said += len(got)
			}
		})
	}
	require.Positive(t, said)
	require.Positive(t, settled, "the cache must have had something to do")
}

// TestMaxPacketsCountsWhatFits holds that a bound counts as tcpdump -c does, and
// that no more is read than up to the last packet counted, for any batch.
func TestMaxPacketsCountsWhatFits(t *testing.T) {
	file := "../../testdata/captures/scan-day.pcapng"
	f := parse(t, "tcp[tcpflags] = tcp-syn")
	fs := frames(t, file)
	kept, _ := fitting(fs, f)
	require.Greater(t, len(kept), 200)
	last := 0
	for i := range fs {
		if fs[i].Time == kept[199].Time && bytes.Equal(fs[i].Data, kept[199].Data) {
			last = i + 1
			break
		}
	}
	var want string
	for _, batch := range []int{1, 7, 256, 4096} {
		got, sum := filtered(t, open(t, file), sensor.Config{Filter: f, MaxPackets: 200, Batch: batch})
		require.True(t, sum.Stopped)
		require.Equal(t, uint64(last), sum.Capture.Packets, "batch %d", batch)
		require.Equal(t, uint64(200), sum.Decode.Packets-sum.Filtered, "batch %d", batch)
		if want == "" {
			want = got
		}
		require.Equal(t, want, got, "batch %d", batch)
	}
}
