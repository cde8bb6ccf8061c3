package capture

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func corpusDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SYNOPTIC_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "labels.jsonl")); err != nil {
		t.Skip("no labelled captures: set SYNOPTIC_CORPUS to their directory")
	}
	return dir
}

// otherCounts are the captures of which this package reads another number of
// packets than their labels say, -1 for those it refuses.
var otherCounts = map[string]int{
	// Their labels have no count, for the reference tool refused them: a link
	// type it does not know, reserved bits in the link type, an absurd length
	// or a section of an unknown version behind a good packet.
	"odd/tcpdump__dsa.pcap":                                                      8,
	"odd/libpcap__linktype-reserved-field-not-zero.pcap":                         0,
	"odd/gopacket__pcapng-be-test901.pcapng":                                     1,
	"odd/pcapplusplus__fuzz-crash-eec28dafde1f1ac2299674a75a914ae16d4046fa.pcap": 1,
	// The reference tool guesses a variant of pcap with longer record headers
	// from the damaged second record; tcpdump reads two packets as well.
	"odd/pcapplusplus__fuzz-crash-exception-cast-constructed-record.pcap": 2,
	// Refused as they should be.
	"odd/libpcap__pcap-invalid-version-1.pcap":  -1,
	"odd/libpcap__pcapng-invalid-vers-1.pcapng": -1,
}

// TestCorpus reads every labelled capture, and finds as many packets as the
// label says.
func TestCorpus(t *testing.T) {
	dir := corpusDir(t)
	file, err := os.Open(filepath.Join(dir, "labels.jsonl"))
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	files := 0
	for lines.Scan() {
		var label struct {
			File    string
			Packets *int
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &label))
		want, other := otherCounts[label.File]
		if !other {
			require.NotNil(t, label.Packets, label.File)
			want = *label.Packets
		}
		require.Equal(t, want, countPackets(t, filepath.Join(dir, label.File)), label.File)
		files++
	}
	require.NoError(t, lines.Err())
	require.Greater(t, files, 200)
}

// countPackets returns -1 if the file is refused.
func countPackets(t *testing.T, name string) int {
	t.Helper()
	src, err := Open(name, Config{})
	if _, ok := errors.AsType[*FormatError](err); ok {
		t.Log(err)
		return -1
	}
	require.NoError(t, err)
	frames, errs := drain(t, src, 256)
	for _, err := range errs {
		t.Log(err)
	}
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(len(frames)), st.Packets)
	if st.Damaged == 0 {
		require.Equal(t, st.Total, st.Offset, name)
	}
	require.NoError(t, src.Close())
	return len(frames)
}
