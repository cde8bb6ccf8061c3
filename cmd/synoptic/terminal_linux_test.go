package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// hangUp is: hangup FILE PATTERN PROGRAM ARG... It starts a program of the scripts on a terminal
// of its own, takes the terminal away when FILE has a line like PATTERN, and waits for
// the program to end.
func hangUp(ts *testscript.TestScript, _ bool, args []string) {
	master, slave, err := terminal()
	ts.Check(err)
	defer func() { _ = master.Close() }()
	cmd := exec.Command(filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], args[2]), args[3:]...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = ts.MkAbs("."), slave, slave
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	// Who runs the tests may have them ignore it, as nohup does; what is handled here is not
	// ignored there.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	ts.Check(cmd.Start())
	ts.Check(slave.Close())
	await(ts, false, args[:2])
	ts.Check(master.Close())
	ts.Check(cmd.Wait())
}

// terminal makes a terminal: the end of who sits at it, and the end of programs.
func terminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return master, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return master, nil, err
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	return master, slave, err
}
