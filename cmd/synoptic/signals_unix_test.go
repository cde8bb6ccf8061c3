//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// signalAll is: signal NAME. It sends a signal to what runs in the background.
func signalAll(ts *testscript.TestScript, _ bool, args []string) {
	number := unix.SignalNum("SIG" + args[0])
	if number == 0 || len(ts.BackgroundCmds()) == 0 {
		ts.Fatalf("no signal %s, or nobody to send it to", args[0])
	}
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(number))
	}
}

// heard is a program: heard FILE PROGRAM ARG... It becomes PROGRAM, with standard error in
// FILE, which can be looked at while it runs.
func heard() {
	os.Exit(func() int {
		file, err := os.Create(os.Args[1])
		var program string
		if err == nil {
			program, err = exec.LookPath(os.Args[2])
		}
		if err == nil {
			err = unix.Dup2(int(file.Fd()), 2)
		}
		if err == nil {
			err = syscall.Exec(program, os.Args[2:], os.Environ())
		}
		_, _ = fmt.Fprintln(os.Stderr, "heard:", err)
		return 1
	}())
}
