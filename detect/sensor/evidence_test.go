package sensor_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// shelf keeps the packets of scans in memory.
type shelf struct {
	cases []*folder
	none  bool // it wants none
}

// folder is what is kept of a scan.
type folder struct {
	records    []detect.Scan
	frames     []frame
	kept, left sensor.Kept
	ended      bool
}

func (s *shelf) Begin(sc *detect.Scan) sensor.Keep {
	if s.none {
		return nil
	}
	s.cases = append(s.cases, &folder{records: []detect.Scan{*sc}})
	return s.cases[len(s.cases)-1]
}

func (f *folder) Record(s *detect.Scan) { f.records = append(f.records, *s) }

func (f *folder) Frame(fr *capture.Frame, link uint16) {
	own := *fr
	own.Data = bytes.Clone(fr.Data)
	f.frames = append(f.frames, frame{own, link})
}

func (f *folder) End(s *detect.Scan, kept, left sensor.Kept) {
	f.records, f.kept, f.left, f.ended = append(f.records, *s), kept, left, true
}

func (s *shelf) String() string {
	var b bytes.Buffer
	for _, f := range s.cases {
		fmt.Fprintf(&b, "%s %v %+v %+v\n", f.records[0].ID, f.ended, f.kept, f.left)
		for _, fr := range f.frames {
			fmt.Fprintf(&b, "%d %d %d %d %x\n", fr.Time, fr.Len, fr.Iface, fr.link, fr.Data)
		}
	}
	return b.String()
}

// kept runs a capture, and returns what was kept.
func kept(t *testing.T, src capture.Source, cfg sensor.Config) (*shelf, sensor.Summary) {
	t.Helper()
	s := &shelf{}
	cfg.Evidence.Keeper = s
	line, err := sensor.New(cfg)
	require.NoError(t, err)
	sum, err := line.Run(context.Background(), src)
	require.NoError(t, err)
	require.NoError(t, src.Close())
	return s, sum
}

// TestEvidenceChangesNothing: the same is found whether packets are kept or not, and the same
// are kept whatever the batch.
func TestEvidenceChangesNothing(t *testing.T) {
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := said(t, open(t, file), sensor.Config{})
			cfg := sensor.Config{Evidence: sensor.Evidence{Keeper: &shelf{}}}
			require.Equal(t, want, said(t, open(t, file), cfg))
			cfg.Evidence.Memory = 20_000 // and old packets have to go all the time
			first, sum := kept(t, open(t, file), cfg)
			for _, batch := range []int{1, 4096} {
				cfg.Batch, cfg.Inline = batch, batch == 1
				again, other := kept(t, open(t, file), cfg)
				require.Equal(t, first.String(), again.String(), "batch %d", batch)
				require.Equal(t, sum.Evidence, other.Evidence)
				require.Equal(t, sum.Settled, other.Settled)
			}
		})
	}
}

// TestEvidenceOfScans: packets are kept as they were captured, in order, of scans only, and all of them
// where there is room.
func TestEvidenceOfScans(t *testing.T) {
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s, sum := kept(t, open(t, file), sensor.Config{})
			all := frames(t, file)
			require.Len(t, s.cases, int(sum.Detect.Opened+sum.Detect.Reopened))
			require.Zero(t, sum.Evidence.Scans)
			total := uint64(0)
			for _, f := range s.cases {
				require.True(t, f.ended)
				last := f.records[len(f.records)-1]
				require.Equal(t, uint64(len(f.frames)), f.kept.Total())
				total += f.kept.Total()
				sources := last.Srcs
				if last.Src.IsValid() {
					sources = append(slices.Clone(sources), last.Src)
				}
				if last.MergedInto == "" {
					require.GreaterOrEqual(t, f.kept.Probes+f.left.Probes, uint64(last.Targets), "a probe of each target")
				}
				rest := all
				var d flows.Decoder
				for _, fr := range f.frames {
					i := slices.IndexFunc(rest, func(o frame) bool {
						return o.Time == fr.Time && o.Len == fr.Len && o.link == fr.link && bytes.HasPrefix(o.Data, fr.Data)
					})
					require.GreaterOrEqual(t, i, 0, "it is not of the capture, or not in order")
					require.True(t, len(fr.Data) == 256 || len(fr.Data) == len(rest[i].Data))
					rest = rest[i+1:]
					ps := d.Append(nil, fr.Data, flows.Meta{Time: fr.Time, Len: fr.Len, Link: fr.link})
					require.NotEmpty(t, ps)
					p := ps[len(ps)-1]
					require.True(t, slices.Contains(sources, flows.Addr(p.Src)) || slices.Contains(sources, flows.Addr(p.Dst)) ||
						slices.Contains(sources, flows.Addr(p.QuotedSrc)), "%v is none of %v", p, sources)
				}
			}
			require.Equal(t, total, sum.Evidence.Packets)
		})
	}
}

// TestEvidenceRoles of a scan whose packets are known one by one.
func TestEvidenceRoles(t *testing.T) {
	s, _ := kept(t, open(t, "../../testdata/captures/syn-vertical.pcap"), sensor.Config{})
	require.Len(t, s.cases, 1)
	require.Equal(t, sensor.Kept{Probes: 202, Refusals: 195, Answers: 6}, s.cases[0].kept, "and the resets that answer SYN-ACKs")
	require.Zero(t, s.cases[0].left)
	require.Equal(t, detect.Close, s.cases[0].records[len(s.cases[0].records)-1].Phase)
}

// TestEvidenceIsBounded by number, by bytes, by scans, and by who wants it.
func TestEvidenceIsBounded(t *testing.T) {
	const file = "../../testdata/captures/scan-day.pcapng"
	free, sum := kept(t, open(t, file), sensor.Config{})
	require.Zero(t, sum.Evidence.Left)
	few, sum := kept(t, open(t, file), sensor.Config{Evidence: sensor.Evidence{Packets: 5}})
	require.Len(t, few.cases, len(free.cases))
	left := uint64(0)
	for i, f := range few.cases {
		for _, pair := range [][3]uint64{
			{f.kept.Probes, f.left.Probes, free.cases[i].kept.Probes},
			{f.kept.Refusals, f.left.Refusals, free.cases[i].kept.Refusals},
			{f.kept.Answers, f.left.Answers, free.cases[i].kept.Answers},
			{f.kept.Payload, f.left.Payload, free.cases[i].kept.Payload},
		} {
			require.Equal(t, min(5, pair[2]), pair[0])
			require.Equal(t, pair[2], pair[0]+pair[1])
		}
		left += f.left.Total()
	}
	require.NotZero(t, left)
	require.Equal(t, left, sum.Evidence.Left)

	small, _ := kept(t, open(t, file), sensor.Config{Evidence: sensor.Evidence{Bytes: 1000, SnapLen: 60}})
	for i, f := range small.cases {
		bytes := 0
		for _, fr := range f.frames {
			require.LessOrEqual(t, len(fr.Data), 60)
			bytes += len(fr.Data)
		}
		require.LessOrEqual(t, bytes, 1000)
		require.Equal(t, free.cases[i].kept.Total(), f.kept.Total()+f.left.Total())
	}

	one, sum := kept(t, open(t, file), sensor.Config{Evidence: sensor.Evidence{Scans: 1}})
	require.Less(t, len(one.cases), len(free.cases))
	require.NotZero(t, sum.Evidence.Unkept)

	none := &shelf{none: true}
	_ = said(t, open(t, file), sensor.Config{Evidence: sensor.Evidence{Keeper: none}})
	require.Empty(t, none.cases)
}
