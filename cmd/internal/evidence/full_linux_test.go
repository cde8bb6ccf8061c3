package evidence

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// onSmallDisk runs do with a folder in which 64 KiB fit. The disk is seen by the thread that do
// runs on, and by what it starts, and is gone with that.
func onSmallDisk(t *testing.T, do func(dir string)) {
	t.Helper()
	dir := t.TempDir()
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with it
		var err error
		defer func() { failed <- err }() // also if do fails the test
		err = unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=700")
		}
		if err == nil {
			do(dir)
		}
	}()
	if err := <-failed; err != nil {
		if !netns.Required() {
			t.Skip("a small disk needs root: ", err)
		}
		require.NoError(t, err)
	}
}

// TestDiskFull: told once, with what there is left whole; and gone on with when there is
// room again.
func TestDiskFull(t *testing.T) {
	onSmallDisk(t, func(dir string) {
		var said log
		ballast := filepath.Join(dir, "ballast")
		f, err := Open(Config{
			Dir: dir, SnapLen: 256, Warn: func(m string) { said.warned = append(said.warned, m) },
			Tell: func(m string) { said.told = append(said.told, m) },
		})
		require.NoError(t, err)
		k, name := f.Begin(scan(1, detect.Open)), filepath.Join(dir, Name(scan(1, "")))
		k.Frame(packet(0, 60), 1)
		f.Flush()
		require.ErrorIs(t, os.WriteFile(ballast, make([]byte, 1<<20), 0o600), unix.ENOSPC)
		for n := range 499 { // at the end more is gathered than the last page of the file has room for
			k.Frame(packet(n, 60), 1)
		}
		f.Flush()
		require.Len(t, said.warned, 1)
		require.Contains(t, said.warned[0], "no space left on device")
		require.ErrorIs(t, f.Failing(), unix.ENOSPC)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		got, _ := packets(t, data)
		require.Equal(t, f.Stats().Packets, uint64(len(got)))

		require.NoError(t, os.Remove(ballast))
		f.Flush()
		require.NoError(t, f.Failing())
		require.Len(t, said.told, 1)
		k.End(scan(1, detect.Close), sensor.Kept{}, sensor.Kept{})
		stats := f.Stats()
		require.Equal(t, uint64(500), stats.Packets+stats.Lost)
		require.NotZero(t, stats.Lost)
		data, err = os.ReadFile(name)
		require.NoError(t, err)
		got, _ = packets(t, data)
		require.Equal(t, stats.Packets, uint64(len(got)))
	})
}

// TestProgramOnAFullDisk: the program says so, finds what it finds without, and exits with 1.
func TestProgramOnAFullDisk(t *testing.T) {
	const capture = "../../../testdata/captures/scan-day.pcapng"
	program := filepath.Join(t.TempDir(), "synoptic")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../synoptic").CombinedOutput()
	require.NoError(t, err, string(out))
	named := regexp.MustCompile(`,"evidence_file":"[^"]*"`)
	found := func(args ...string) (scans []string, said string, code int) {
		cmd := exec.CommandContext(t.Context(), program, append([]string{"-r", capture, "--json"}, args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, _ := cmd.Output()
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, `{"event":"scan"`) {
				scans = append(scans, named.ReplaceAllString(line, ""))
			} else if strings.HasPrefix(line, `{"event":"run"`) {
				require.Equal(t, len(args) > 0, strings.Contains(line, `"lost":`))
			}
		}
		return scans, errs.String(), cmd.ProcessState.ExitCode()
	}
	want, _, code := found()
	require.Zero(t, code)
	onSmallDisk(t, func(dir string) {
		have, said, code := found("-w", dir)
		require.Equal(t, want, have)
		require.Equal(t, 1, code)
		times := strings.Count(said, "no space left on device; detection goes on\n")
		require.True(t, times > 0 && times < 4, "short packets may still fit: %s", said)
		require.Contains(t, said, "packets of scans could not be kept in "+dir)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			data, err := os.ReadFile(filepath.Join(dir, file.Name()))
			require.NoError(t, err)
			_, _ = packets(t, data) // they are whole
		}
	})
}
