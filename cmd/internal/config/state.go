package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

// defaultStateEvery is how often the state is saved where nothing is said: what is learned within it is
// lost when the process is killed.
const defaultStateEvery = time.Minute

// leastStateEvery bounds how often: the line waits while what it remembers is copied.
const leastStateEvery = 100 * time.Millisecond

// state reads where the state is kept, and how often it is saved. Only who captures has one: what a
// capture gives must not depend on what was read before.
func state(s Settings) (file string, every time.Duration, err error) {
	switch {
	case s.State == "" && s.StateEvery != "":
		return "", 0, exit.With(exit.Usage, errors.New("--state-every is for --state"), "say where the state is to be kept: --state FILE")
	case s.State == "":
		return "", 0, nil
	case len(s.Devices) == 0:
		return "", 0, exit.With(exit.Usage, errors.New("--state is for -i"), "a capture is judged by itself, so that it always gives the same")
	}
	every = defaultStateEvery
	if s.StateEvery != "" {
		if every, err = time.ParseDuration(s.StateEvery); err != nil || every < leastStateEvery {
			return "", 0, exit.With(exit.Usage, fmt.Errorf("--state-every %q is no time of %v or more", s.StateEvery, leastStateEvery), "write it as 10s or 5m")
		}
	}
	// The working directory may be one that cannot be reached later.
	if file, err = filepath.Abs(s.State); err != nil {
		return "", 0, exit.With(exit.Usage, fmt.Errorf("--state %s: %w", s.State, err))
	}
	return file, every, nil
}
