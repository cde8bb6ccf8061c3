//go:build !unix

package app

import "os"

// signals are what a run is asked for from outside: nothing, on this system.
type signals struct{ account, reload chan os.Signal }

func listen(bool) *signals { return &signals{} }

func (*signals) stop() {}

func (*signals) hungUp() bool { return false }
