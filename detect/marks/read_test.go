package marks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// corpusDir is where the labelled captures are: the directory that
// SYNOPTIC_CORPUS names, or beside the project.
func corpusDir() string {
	if dir := os.Getenv("SYNOPTIC_CORPUS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "corpus")
}

// captured lists the captures that match a pattern.
func captured(t *testing.T, dir ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(append(dir, "*.pcap*")...))
	require.NoError(t, err)
	return files
}

// recording is one of the lab's.
func recording(name string) string {
	return filepath.Join("..", "..", "testdata", "lab", "recordings", name+".pcap")
}

// frames is what gopacket's readers of both formats have in common.
type frames interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// open reads a capture of either format. link tells an interface's link type
// once a frame of it was read.
func open(t *testing.T, file string, data []byte) (source frames, link func(i int) uint16) {
	t.Helper()
	if binary.BigEndian.Uint32(data) == 0x0a0d0d0a {
		ng, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		require.NoError(t, err, file)
		return ng, func(i int) uint16 {
			face, err := ng.Interface(i)
			require.NoError(t, err)
			return uint16(face.LinkType)
		}
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 0xa1 {
		order = binary.BigEndian
	}
	order.PutUint16(data[6:], 4) // older minor versions are read alike, but not by gopacket
	classic, err := pcapgo.NewReader(bytes.NewReader(data))
	require.NoError(t, err, file)
	number := uint16(order.Uint32(data[20:])) // gopacket keeps eight bits of it
	return classic, func(int) uint16 { return number }
}

// packets decodes a capture. What the reader cannot read ends it.
func packets(t *testing.T, file string) []flows.Packet {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(data), 24, file)
	source, link := open(t, file, data)
	var d flows.Decoder
	var all []flows.Packet
	for {
		frame, info, err := source.ReadPacketData()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("%s: %v", filepath.Base(file), err)
			}
			return all
		}
		all = d.Append(all, frame, flows.Meta{
			Time: info.Timestamp.UnixNano(), Len: uint32(info.Length),
			Link: link(info.InterfaceIndex), Iface: uint32(info.InterfaceIndex),
		})
	}
}

// probes are the first packets of a capture, as the table tells them.
func probes(t *testing.T, file string) []Probe {
	t.Helper()
	table := flows.NewTable(flows.TableConfig{})
	var all []Probe
	var events []flows.Event
	take := func() {
		for i := range events {
			if p, ok := FromAttempt(&events[i].Attempt); ok && events[i].Kind == flows.Opened {
				all = append(all, p)
			}
		}
		events = events[:0]
	}
	ps := packets(t, file)
	for i := range ps {
		events = table.Add(&ps[i], events)
		take()
	}
	for more := true; more; {
		events, more = table.Close(events)
		take()
	}
	return all
}

// fromPacket is a probe as the packet itself has it.
func fromPacket(p *flows.Packet) Probe {
	return Probe{
		Src: p.Src, Dst: p.Dst, Seq: p.Seq, Ack: p.Ack, Options: p.Options,
		SrcPort: p.SrcPort, DstPort: p.DstPort, Window: p.Window, IPID: p.IPID, Proto: p.Proto, Flags: p.Flags,
		TTL: p.TTL, DF: p.Has(flows.MarkDF), Truncated: p.Has(flows.MarkTruncated),
	}
}

// named is what is named of each source.
func named(ps []Probe) map[string]Mark {
	votes := map[[16]byte]*Votes{}
	for i := range ps {
		p := &ps[i]
		if votes[p.Src] == nil {
			votes[p.Src] = &Votes{}
		}
		votes[p.Src].Add(p)
	}
	found := map[string]Mark{}
	for src, v := range votes {
		if m, ok := v.Best(); ok {
			found[flows.Addr(src).String()] = m
		}
	}
	return found
}

// logMarks prints what is named in a capture.
func logMarks(t *testing.T, file string, found map[string]Mark) {
	t.Helper()
	sources := make([]netip.Addr, 0, len(found))
	for src := range found {
		sources = append(sources, netip.MustParseAddr(src))
	}
	slices.SortFunc(sources, netip.Addr.Compare)
	for _, src := range sources {
		m := found[src.String()]
		t.Logf("%-44s %-16s %-11s %5d of %5d  %s", filepath.Base(file), src, m.Name, m.Matched, m.Of, m.Version)
	}
}
