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
	err = soak(&out, soaking{bin: bin, lasts: 3 * time.Second, every: 200 * time.Millisecond, rate: 5000})
	t.Log(out.String())
	require.NoError(t, err)
	require.Regexp(t, `\n[0-9]+ packets sent, all of them read or counted as lost; 0 lost`, out.String())
}

// TestFlat: what grows is found, and what only goes up and down is none.
func TestFlat(t *testing.T) {
	steady := func(n int) (all []held) {
		for i := range n {
			all = append(all, held{memory: 100<<20 + float64(i%3)*(1<<20), goroutines: 14 + float64(i%3), files: 14, packets: float64(i + 1), scans: 1})
		}
		return all
	}
	require.NoError(t, flat(steady(20)))
	require.ErrorContains(t, flat(steady(3)), "too seldom")
	for _, tt := range []struct {
		grow func(h *held, i int)
		want string
	}{
		{func(h *held, i int) { h.memory += float64(i) * (2 << 20) }, "memory grows"},
		{func(h *held, i int) { h.goroutines += float64(i) }, "goroutines grow"},
		{func(h *held, i int) { h.files += float64(i) }, "open files grow"},
		{func(h *held, _ int) { h.packets = 0 }, "no packet was read"},
	} {
		all := steady(20)
		for i := range all {
			tt.grow(&all[i], i)
		}
		require.ErrorContains(t, flat(all), tt.want)
	}
}
