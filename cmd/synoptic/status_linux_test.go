package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock/syscall"
	"github.com/rogpeppe/go-internal/testscript"
)

// status is: status FILE. It writes what the system says of all threads of what runs in the
// background.
func status(ts *testscript.TestScript, _ bool, args []string) {
	var all []byte
	for _, cmd := range ts.BackgroundCmds() {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
		ts.Check(err)
		for _, task := range tasks {
			// A thread may have ended since.
			if text, err := os.ReadFile(task); err == nil {
				all = append(all, text...)
			}
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all, 0o600))
}

// landlocked is whether the system can keep files from a process. Where the lab is
// required, so is that.
func landlocked() bool {
	version, err := syscall.LandlockGetABIVersion()
	return err == nil && version > 0 || os.Getenv("SYNOPTIC_REQUIRE_LAB") == "1"
}
