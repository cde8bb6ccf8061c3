package app

import (
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// supervisor is who started the run and wants to know how it is doing, as systemd does by
// $NOTIFY_SOCKET; nobody else listens.
type supervisor struct {
	interval time.Duration // within which it wants to be told that all is well; 0: never
	fed      time.Time
}

func newSupervisor() *supervisor {
	// What cannot be read is none.
	interval, _ := daemon.SdWatchdogEnabled(false)
	return &supervisor{interval: interval}
}

// Where nobody listens, or not any more, there is nobody to tell.
func (*supervisor) say(state string) { _, _ = daemon.SdNotify(false, state) }

func (v *supervisor) ready() { v.say(daemon.SdNotifyReady) }

// reloading says that rules are read anew; ready says when that is over.
func (v *supervisor) reloading() { v.say(daemon.SdNotifyReloading) }

func (v *supervisor) stopping() { v.say(daemon.SdNotifyStopping) }

// beat is how often a run must look at itself.
func (v *supervisor) beat() time.Duration {
	if v.interval > 0 {
		return min(beat, v.interval/4)
	}
	return beat
}

// felt says that the run moves, as often as is wanted.
func (v *supervisor) felt(at time.Time) {
	if v.interval > 0 && at.Sub(v.fed) >= v.interval/4 {
		v.fed = at
		v.say(daemon.SdNotifyWatchdog)
	}
}
