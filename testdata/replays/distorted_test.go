package replays

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

// draws is how many distortions are tried of each kind, unless -rapid.checks says
// otherwise.
const draws = "30"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", draws); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// distortion plays a capture otherwise than it was taken.
type distortion struct {
	name string
	how  func(t *rapid.T, c recorded) []frame
}

// The same scans are found in every capture, whatever is done to it.
func TestSameScans(t *testing.T) {
	all := judged(t, library(t))
	for _, d := range distortions() {
		t.Run(d.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := all[rapid.IntRange(0, len(all)-1).Draw(t, "capture")]
				t.Log(c.name)
				require.Equal(t, c.want, results(scans(t, play(d.how(t, c)))), c.name)
			})
		})
	}
	t.Run("interleaved", func(t *testing.T) { interleaved(t, all) })
	t.Run("in files", func(t *testing.T) { inFiles(t, all) })
}

func distortions() []distortion {
	return []distortion{
		{"at any time of day", atAnyTime},
		{"with duplicates", withDuplicates},
		{"out of order", outOfOrder}, // see TestAnswerBeforeItsQuestion
		{"with a pause of a window", withPause},
	}
}

func duration(t *rapid.T, name string, low, high time.Duration) int64 {
	return rapid.Int64Range(int64(low), int64(high)).Draw(t, name)
}

// later moves frames in time.
func later(frames []frame, by int64) []frame {
	frames = slices.Clone(frames)
	for i := range frames {
		frames[i].Time += by
	}
	return frames
}

// byTime puts frames in the order of a time each of them is given.
func byTime(frames []frame, at []int64) []frame {
	order := make([]int, len(frames))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(min(1, max(-1, at[a]-at[b]))) })
	sorted := make([]frame, 0, len(frames))
	for _, i := range order {
		sorted = append(sorted, frames[i])
	}
	return sorted
}

func times(frames []frame) []int64 {
	at := make([]int64, 0, len(frames))
	for i := range frames {
		at = append(at, frames[i].Time)
	}
	return at
}

// A window that is cut at the full hour or minute would lose what lies across.
func atAnyTime(t *rapid.T, c recorded) []frame {
	return later(c.frames, duration(t, "later", -20*365*24*time.Hour, 20*365*24*time.Hour))
}

// A mirror port that copies both where a packet enters and where it leaves
// shows it twice.
func withDuplicates(t *rapid.T, c recorded) []frame {
	seed := rapid.Uint64().Draw(t, "seed")
	share := rapid.Uint64Range(1, 8).Draw(t, "one in")
	delay := duration(t, "delay", 0, 2*time.Millisecond)
	all := slices.Clone(c.frames)
	for i, f := range c.frames {
		if mix(seed+uint64(i))%share == 0 {
			f.Time += delay
			all = append(all, f)
		}
	}
	return byTime(all, times(all))
}

// Several queues of one card hand packets over out of order, with the times at
// which they came; but those of one conversation in order.
func outOfOrder(t *rapid.T, c recorded) []frame {
	seed := rapid.Uint64().Draw(t, "seed")
	most := duration(t, "most", time.Microsecond, 50*time.Millisecond)
	at, last := times(c.frames), map[conversation]int64{}
	for i := range at {
		at[i] += int64(mix(seed+uint64(i)) % uint64(most))
		k, _ := conversationOf(c.frames[i])
		at[i] = max(at[i], last[k])
		last[k] = at[i]
	}
	return byTime(c.frames, at)
}

// mix is SplitMix64: numbers for a distortion of many frames, drawn at once.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A scanner that rests for longer than any rule's window, but not for as long as
// a scan may be silent, goes on with the same scan.
func withPause(t *rapid.T, c recorded) []frame {
	if len(c.scanners) == 0 {
		return c.frames
	}
	pause := duration(t, "pause", 5*time.Minute, 14*time.Minute)
	cut := rapid.IntRange(0, len(c.frames)-1).Draw(t, "cut")
	frames, began := slices.Clone(c.frames), map[conversation]bool{}
	for i := range frames {
		k, known := conversationOf(frames[i])
		if began[k] || i < cut && known {
			began[k] = true // what was begun goes on in time
			continue
		}
		if i >= cut {
			frames[i].Time += pause
		}
	}
	return byTime(frames, times(frames))
}

// conversation is a probe and what answers it.
type conversation [2]struct {
	addr [16]byte
	port uint16
}

func conversationOf(f frame) (conversation, bool) {
	var k conversation
	packets := flows.NewDecoder(flows.DecoderConfig{}).Append(nil, f.Data, flows.Meta{Time: f.Time, Len: f.Len, Link: f.link})
	if len(packets) == 0 {
		return k, false
	}
	p := &packets[0]
	k[0].addr, k[0].port, k[1].addr, k[1].port = p.Src, p.SrcPort, p.Dst, p.DstPort
	if p.Kind == flows.KindUnreachable {
		k[0].addr, k[0].port, k[1].addr, k[1].port = p.QuotedSrc, p.QuotedSrcPort, p.QuotedDst, p.QuotedDstPort
	}
	if bytes.Compare(k[0].addr[:], k[1].addr[:]) > 0 {
		k[0], k[1] = k[1], k[0]
	}
	return k, true
}

// Scanners of different addresses, at once and among all kinds of traffic, are
// found as each alone.
func interleaved(t *testing.T, all []recorded) {
	rapid.Check(t, func(t *rapid.T) {
		var frames []frame
		var want []result
		taken, names := map[string]bool{}, []string{}
		for range rapid.IntRange(2, 6).Draw(t, "captures") {
			c := all[rapid.IntRange(0, len(all)-1).Draw(t, "capture")]
			if slices.Contains(names, c.name) || slices.ContainsFunc(c.scanners, func(s string) bool { return taken[s] }) {
				continue
			}
			for _, s := range c.scanners {
				taken[s] = true
			}
			names = append(names, c.name)
			want = append(want, c.want...)
			frames = append(frames, later(c.frames, duration(t, "later", 0, time.Minute))...)
		}
		sortResults(want)
		if want == nil {
			want = []result{}
		}
		t.Log(names)
		require.Equal(t, want, results(scans(t, play(byTime(frames, times(frames))))), "%v", names)
	})
}

// A capture cut into any number of files, given one by one or as a directory.
func inFiles(t *testing.T, all []recorded) {
	dir := t.TempDir()
	draw := 0
	all = slices.DeleteFunc(slices.Clone(all), func(c recorded) bool {
		return c.frames[0].link > 255 // gopacket's writer cannot say so
	})
	rapid.Check(t, func(t *rapid.T) {
		c := all[rapid.IntRange(0, len(all)-1).Draw(t, "capture")]
		draw++
		here := filepath.Join(dir, fmt.Sprint(draw))
		require.NoError(t, os.Mkdir(here, 0o700))
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, len(c.frames)-1), 1, 6, rapid.ID).Draw(t, "cuts")
		slices.Sort(cuts)
		names, from := []string{}, 0
		for i, to := range append(cuts, len(c.frames)) {
			// Names against the order of time: a directory goes by the packets.
			names = append(names, filepath.Join(here, fmt.Sprintf("part%d.pcap", 9-i)))
			require.NoError(t, os.WriteFile(names[i], asPcap(t, c.frames[from:to]), 0o600))
			from = to
		}
		if rapid.Bool().Draw(t, "directory") && rises(c.frames, cuts) {
			names = []string{here}
		}
		src, err := capture.Join(names, capture.Config{})
		require.NoError(t, err)
		require.Equal(t, c.want, results(scans(t, src)), c.name)
		require.NoError(t, src.Close())
	})
}

// rises reports whether each part begins later than the one before, so that the
// times tell their order.
func rises(frames []frame, cuts []int) bool {
	last := frames[0].Time
	for _, c := range cuts {
		if frames[c].Time <= last {
			return false
		}
		last = frames[c].Time
	}
	return true
}

func asPcap(t reader, fs []frame) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	require.NoError(t, w.WriteFileHeader(1<<18, layers.LinkType(fs[0].link)))
	for _, f := range fs {
		require.NoError(t, w.WritePacket(gopacket.CaptureInfo{
			Timestamp: time.Unix(0, f.Time).UTC(), CaptureLength: len(f.Data), Length: max(int(f.Len), len(f.Data)),
		}, f.Data))
	}
	return out.Bytes()
}

// An answer may be handed over before its question, as several queues of one card
// do: up to 50 ms out of order, nothing needs to be kept in order.
func TestAnswerBeforeItsQuestion(t *testing.T) {
	those := slices.DeleteFunc(library(t), func(c recorded) bool {
		return !slices.Contains([]string{"syn-vertical.pcap", "udp-vertical.pcapng", "monitor.pcap.lz4"}, c.name)
	})
	for _, c := range judged(t, those) {
		at := times(c.frames)
		for i := range at {
			at[i] += int64(mix(0x5c+uint64(i)) % uint64(50*time.Millisecond))
		}
		got := results(scans(t, play(byTime(c.frames, at))))
		require.Equal(t, c.want, got, c.name)
	}
}
