package privilege

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// dropper is the environment variable that makes the test's own program give up what the test
// asks for: the rest of its life is what is tested.
const dropper = "SYNOPTIC_TEST_DROP"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dropper); dir != "" {
		os.Exit(drop(dir))
	}
	os.Exit(m.Run())
}

// drop gives up what it can, but below a directory, and says what it can still do.
func drop(dir string) int {
	var there sync.WaitGroup
	for range 8 { // threads that are there before
		there.Add(1)
		go func() {
			runtime.LockOSThread()
			there.Done()
			select {}
		}()
	}
	there.Wait()
	kept, err := Drop(Config{
		Read: []string{filepath.Join(dir, "read"), filepath.Join(dir, "missing"), "/proc/self"}, Write: []string{filepath.Join(dir, "write")},
		Capture: os.Getenv("SYNOPTIC_TEST_CAPTURE") != "", Count: os.Getenv("SYNOPTIC_TEST_COUNT") != "",
	})
	fmt.Printf("kept %q %q %v\n", kept.Files, kept.Capabilities, err)
	for _, name := range []string{"read/a", "write/a", "other/a", "read/new", "write/new"} {
		path := filepath.Join(dir, name)
		file, err := os.Open(path)
		_ = file.Close()
		written, writeErr := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
		_ = written.Close()
		fmt.Printf("%s: read %s, write %s\n", name, word(err), word(writeErr))
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	fmt.Printf("packet socket %s\n", word(err))
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return 1
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		for _, line := range regexp.MustCompile(`(?m)^(Cap\w+|NoNewPrivs):.*$`).FindAllString(string(status), -1) {
			fmt.Println(strings.Join(strings.Fields(line), " "))
		}
	}
	return 0
}

func word(err error) string {
	switch {
	case err == nil:
		return "yes"
	case errors.Is(err, fs.ErrPermission):
		return "denied"
	case errors.Is(err, fs.ErrNotExist):
		return "missing"
	default:
		return err.Error()
	}
}

// dropped runs the program that gives up what it can, and returns what it says.
func dropped(t *testing.T, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"read", "write", "other"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, folder), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, folder, "a"), nil, 0o600))
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), dropper+"="+dir), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestDrop(t *testing.T) {
	said := dropped(t)
	t.Log(said)
	require.NotContains(t, said, "NoNewPrivs: 0")
	require.GreaterOrEqual(t, strings.Count(said, "NoNewPrivs: 1"), 8, "all threads")
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		require.NotRegexp(t, set+`: 0*[1-9a-f]`, said)
	}
	if os.Geteuid() == 0 {
		require.NotRegexp(t, `CapBnd: 0*[1-9a-f]`, said)
	}
	require.Contains(t, said, "packet socket denied")
	requireLandlock(t)
	require.Regexp(t, `(?m)^kept "landlock [1-5]" "" <nil>$`, said)
	require.Contains(t, said, "read/a: read yes, write denied\n")
	require.Contains(t, said, "write/a: read yes, write yes\n")
	require.Contains(t, said, "other/a: read denied, write denied\n")
	require.Contains(t, said, "read/new: read missing, write denied\n")
	require.Contains(t, said, "write/new: read missing, write yes\n")
}

// TestDropKeepsCapture: an interface that comes back can be opened, and nothing else.
func TestDropKeepsCapture(t *testing.T) {
	if os.Geteuid() != 0 {
		lacks(t, "root, to have a capability that can be kept")
	}
	said := dropped(t, "SYNOPTIC_TEST_CAPTURE=1")
	require.Contains(t, said, `"cap_net_raw" <nil>`)
	require.Contains(t, said, "packet socket yes")
	raw := fmt.Sprintf("%016x", 1<<unix.CAP_NET_RAW)
	require.NotRegexp(t, `Cap(Prm|Eff|Bnd): `, regexp.MustCompile(`Cap(Prm|Eff|Bnd): `+raw).ReplaceAllString(said, ""))
	require.NotRegexp(t, `Cap(Inh|Amb): 0*[1-9a-f]`, said)
}

// TestDropKeepsCount: a program in the kernel can be asked for its counts, and nothing else.
func TestDropKeepsCount(t *testing.T) {
	if os.Geteuid() != 0 {
		lacks(t, "root, to have a capability that can be kept")
	}
	said := dropped(t, "SYNOPTIC_TEST_COUNT=1")
	require.Contains(t, said, `"cap_bpf" <nil>`)
	require.Contains(t, said, "packet socket denied")
	count := fmt.Sprintf("%016x", uint64(1)<<unix.CAP_BPF)
	require.NotRegexp(t, `Cap(Prm|Eff|Bnd): `, regexp.MustCompile(`Cap(Prm|Eff|Bnd): `+count).ReplaceAllString(said, ""))
	require.NotRegexp(t, `Cap(Inh|Amb): 0*[1-9a-f]`, said)
	require.Contains(t, dropped(t, "SYNOPTIC_TEST_COUNT=1", "SYNOPTIC_TEST_CAPTURE=1"), `"cap_net_raw cap_bpf" <nil>`)
}

func requireLandlock(t *testing.T) {
	t.Helper()
	if version, err := ll.LandlockGetABIVersion(); err != nil || version < 1 {
		lacks(t, "a kernel with landlock")
	}
}

// lacks skips the test for want of something, or fails it where that must be there.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SYNOPTIC_REQUIRE_LAB") == "1" {
		t.Fatal("this needs " + what)
	}
	t.Skip("this needs " + what)
}
