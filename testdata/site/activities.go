package site

import (
	"math/rand/v2"
	"slices"
)

// activity is one thing that goes on at the site.
type activity struct {
	name  string
	begin func(*Site, *rand.Rand)
}

func activities() []activity {
	return slices.Concat(clientActivities(), serverActivities(), machineActivities(), lanActivities(), peerActivities(), nodeActivities(), watchActivities(), scanners())
}
