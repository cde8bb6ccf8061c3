//go:build unix

package app

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// signals are what a run is asked for from outside. What a run does not listen for is nil.
type signals struct {
	account  chan os.Signal // to say what was read and found so far
	reload   chan os.Signal // of a run without end
	terminal int            // that the run is not to outlive; less than 0: none
}

// listen listens for signals. SIGHUP ends a run that ends by itself, as it does any program.
func listen(live bool) *signals {
	s := &signals{account: make(chan os.Signal, 1), terminal: -1}
	signal.Notify(s.account, syscall.SIGUSR1)
	if !live {
		return s
	}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		if fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err == nil {
			s.terminal = fd
		}
	}
	s.reload = make(chan os.Signal, 1)
	signal.Notify(s.reload, syscall.SIGHUP)
	return s
}

// stop ends listening.
func (s *signals) stop() {
	signal.Stop(s.account)
	if s.reload != nil {
		signal.Stop(s.reload)
	}
	if s.terminal >= 0 {
		_ = unix.Close(s.terminal)
	}
}

// hungUp is whether a SIGHUP says that the terminal is gone from which the run was started.
func (s *signals) hungUp() bool {
	if s.terminal < 0 {
		return false
	}
	_, err := unix.IoctlGetInt(s.terminal, unix.TIOCGPGRP)
	return err != nil
}
