package site_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/site"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	cfg := site.Config{Seed: 3, From: 130 * time.Minute, For: 2 * time.Minute, Only: []string{"scan-vertical", "resolver"}}
	require.NoError(t, site.Write(dir, cfg))

	day := site.New(cfg)
	var want []capture.Frame
	each(t, day, 16, func(f capture.Frame) {
		f.Data = append([]byte(nil), f.Data...)
		want = append(want, f)
	})
	src, err := capture.Open(filepath.Join(dir, "site.pcap"), capture.Config{})
	require.NoError(t, err)
	fs := make([]capture.Frame, len(want)+1)
	n, err := src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, want[:n], fs[:n])
	require.NoError(t, src.Close())

	text, err := os.ReadFile(filepath.Join(dir, "site.jsonl"))
	require.NoError(t, err)
	var got site.Scanner
	require.NoError(t, json.Unmarshal([]byte(strings.TrimSpace(string(text))), &got))
	require.Equal(t, []site.Scanner{got}, day.Scanners())
	require.Equal(t, 300, got.Targets)
}
