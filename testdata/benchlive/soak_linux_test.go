package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestSoak watches a sensor for some seconds: that it does not grow is for longer runs, but
// what it holds is to be had, and all that was sent is accounted for.
func TestSoak(t *testing.T) {
	if unix.Geteuid() != 0 && os.Getenv("SYNOPTIC_REQUIRE_LAB") != "1" {
		t.Skip("needs root, for network namespaces")
	}
	bin := filepath.Join(t.TempDir(), "synoptic")
	said, err := exec.Command("go", "build", "-o", bin, "../../cmd/synoptic").CombinedOutput()
	require.NoError(t, err, "%s", said)
	var out bytes.Buffer
	all, err := soak(&out, soaking{bin: bin, lasts: 3 * time.Second, every: 200 * time.Millisecond, rate: 5000})
	t.Log(out.String())
	require.NoError(t, err)
	require.Regexp(t, `\n[0-9]+ packets sent, all of them read or counted as lost; 0 lost`, out.String())
	last := all[len(all)-1]
	require.Positive(t, last.packets)
	require.Positive(t, last.entries)
	require.Positive(t, last.saves)
}

// TestFlat: what grows is found from when tables are full, and what only goes up and down is not.
func TestFlat(t *testing.T) {
	steady := func(n int) (all []held) {
		for i := range n {
			all = append(all, held{
				after: time.Duration(i+1) * 20 * time.Second, memory: 50<<20 + float64(i%6)*(400<<10),
				goroutines: 14 + float64(i%3), files: 14, entries: 1000, packets: float64(i + 1), saves: 1,
			})
		}
		return all
	}
	for name, tt := range map[string]struct {
		looks int
		grow  func(h *held, i int)
		want  string
	}{
		"steady":         {60, func(*held, int) {}, ""},
		"few looks":      {7, func(*held, int) {}, "too seldom"},
		"memory":         {60, func(h *held, i int) { h.memory += float64(i) * (100 << 10) }, "memory grows by 0.3"},
		"memory, early":  {60, func(h *held, i int) { h.memory += float64(min(i, 30)) * (100 << 10) }, ""},
		"goroutines":     {60, func(h *held, i int) { h.goroutines += float64(i) }, "goroutines grow"},
		"files":          {60, func(h *held, i int) { h.files += float64(i) }, "open files grow"},
		"nothing read":   {60, func(h *held, _ int) { h.packets = 0 }, "no packet was read"},
		"tables filling": {60, func(h *held, i int) { h.entries *= float64(i) }, "its tables filled until 19m40s"},
		"filled later": {60, func(h *held, i int) {
			h.entries *= float64(min(i, 40))
			h.memory += float64(min(i, 40)) * (1 << 20)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			all := steady(tt.looks)
			for i := range all {
				tt.grow(&all[i], i)
			}
			var out bytes.Buffer
			err := flat(&out, all)
			if tt.want == "" {
				require.NoError(t, err)
				require.Contains(t, out.String(), "MiB a minute")
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}
