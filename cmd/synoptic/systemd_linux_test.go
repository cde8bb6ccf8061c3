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
	said := analyze(t, "security", "--offline=true", "--threshold="+exposed, filepath.Join("systemd", unit))
	require.Contains(t, said, "Overall exposure level")
	t.Log(said[strings.LastIndex(said, "Overall"):])
}

// TestUnitIsUnderstood: systemd knows every key and value. The program itself need not be
// installed.
func TestUnitIsUnderstood(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("systemd", unit))
	require.NoError(t, err)
	const program = "/usr/bin/synoptic"
	require.Contains(t, string(text), "\nExecStart="+program+" -i %I ")
	there := strings.ReplaceAll(string(text), program, os.Args[0])
	file := filepath.Join(t.TempDir(), "synoptic@eth1.service")
	require.NoError(t, os.WriteFile(file, []byte(there), 0o600))
	require.Empty(t, analyze(t, "verify", "--man=no", file))
}
