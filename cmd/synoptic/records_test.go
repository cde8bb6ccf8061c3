package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
)

// The hour has scanners as the Internet has them: each tries one port of as many hosts, of
// which none is there.
const (
	hourScanners = 200
	hourTargets  = 40
)

// quietHour writes an hour of SYNs that nobody answers.
func quietHour(t *testing.T, name string) {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	require.NoError(t, w.WriteFileHeader(200, layers.LinkTypeRaw))
	begun := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	gap := time.Hour / (hourScanners * hourTargets)
	for i := range hourScanners * hourTargets {
		// Two at a time.
		who := i/(2*hourTargets)*2 + i%2
		b := make([]byte, 44)
		b[0], b[8], b[9], b[32], b[33] = 0x45, 50, 6, 6<<4, 2
		binary.BigEndian.PutUint16(b[2:], 44)
		copy(b[12:], []byte{203, 0, 113, byte(1 + who)})
		copy(b[16:], []byte{198, 51, 100, byte(1 + i%(2*hourTargets)/2*5)})
		binary.BigEndian.PutUint16(b[20:], uint16(1024+who))
		binary.BigEndian.PutUint16(b[22:], []uint16{23, 22, 445, 3389, 8080}[who%5])
		binary.BigEndian.PutUint32(b[24:], uint32(i)*2654435761)
		copy(b[40:], []byte{2, 4, 5, 180})
		info := gopacket.CaptureInfo{Timestamp: begun.Add(time.Duration(i) * gap), CaptureLength: len(b), Length: len(b)}
		require.NoError(t, w.WritePacket(info, b))
	}
	require.NoError(t, os.WriteFile(name, out.Bytes(), 0o600))
}

// TestRecordsOfAnHour is where the README has its figures from.
func TestRecordsOfAnHour(t *testing.T) {
	dir := t.TempDir()
	name := func(file string) string { return filepath.Join(dir, file) }
	quietHour(t, name("hour.pcap"))
	cmd := exec.CommandContext(t.Context(), "synoptic", "-r", name("hour.pcap"), "--home", "198.51.100.0/24",
		"-o", "json:"+name("all"), "-o", "json,min-severity=medium:"+name("some"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	all, err := os.ReadFile(name("all"))
	require.NoError(t, err)
	some, err := os.ReadFile(name("some"))
	require.NoError(t, err)
	t.Logf("%d records, %d bytes; of medium severity %d records, %d bytes", bytes.Count(all, []byte("\n")), len(all), bytes.Count(some, []byte("\n")), len(some))
	require.Equal(t, hourScanners, bytes.Count(all, []byte(`"event":"scan","phase":"close"`)))
	require.NotContains(t, string(some), `"event":"scan"`)
	require.Contains(t, string(some), `"min_severity":3,"scans":200,"sources":200,"targets":8000,`)
	require.LessOrEqual(t, bytes.Count(all, []byte("\n")), 5*hourScanners)
	require.LessOrEqual(t, bytes.Count(some, []byte("\n")), 4)
}
