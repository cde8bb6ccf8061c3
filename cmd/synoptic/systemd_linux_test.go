package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	unit = "synoptic@.service"
	// exposed is the most that the unit may be exposed, by systemd's judgement, in tenths: from
	// 0 to 100.
	exposed = "25"
)

// analyze runs systemd-analyze. Where the lab is required it must be there.
func analyze(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("SYNOPTIC_REQUIRE_LAB"), "systemd-analyze is not there")
		t.Skip("systemd-analyze is not there")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_COLORS=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestUnitIsHardened(t *testing.T) {
	for _, with := range []bool{false, true} {
		said := analyze(t, "security", "--offline=true", "--threshold="+exposed, installed(t, with, "/usr/bin/synoptic"))
		require.Contains(t, said, "Overall exposure level")
		t.Log(said[strings.LastIndex(said, "Overall"):])
	}
}

// installed is the unit of an interface, perhaps with what makes it count by XDP, of a program.
func installed(t *testing.T, xdp bool, program string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "synoptic@eth1.service")
	files := map[string]string{unit: file}
	if xdp {
		files["xdp.conf"] = filepath.Join(dir, "synoptic@eth1.service.d", "xdp.conf")
		require.NoError(t, os.Mkdir(filepath.Dir(files["xdp.conf"]), 0o700))
	}
	for from, to := range files {
		text, err := os.ReadFile(filepath.Join("systemd", from))
		require.NoError(t, err)
		const there = "/usr/bin/synoptic"
		require.Contains(t, string(text), "\nExecStart="+there+" -i %I ")
		require.NoError(t, os.WriteFile(to, []byte(strings.ReplaceAll(string(text), there, program)), 0o600))
	}
	return file
}

// TestUnitIsUnderstood: systemd knows every key and value. The program itself need not be
// installed.
func TestUnitIsUnderstood(t *testing.T) {
	for _, with := range []bool{false, true} {
		require.Empty(t, analyze(t, "verify", "--man=no", installed(t, with, os.Args[0])))
	}
}
