package app

import (
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
)

// severe lets through to an output the records of scans that are severe enough, or were once,
// and keeps account of the others.
type severe struct {
	least    int                 // 0: all are
	told     map[string]struct{} // ids of open scans that were let through
	withheld uint64              // scans that closed and were not
	digest   digest
}

func newSevere(least int) severe { return severe{least: least, told: map[string]struct{}{}} }

// lets is whether a record is let through. A scan that was once is to its close, so that
// nobody waits for that.
func (v *severe) lets(s *detect.Scan) bool {
	if v.least == 0 {
		return true
	}
	_, told := v.told[s.ID]
	told = told || s.Severity >= v.least
	switch {
	case s.Phase == detect.Close:
		delete(v.told, s.ID)
		if !told && s.MergedInto == "" {
			v.withheld++
			v.digest.add(s)
		}
	case told:
		v.told[s.ID] = struct{}{}
	}
	return told
}

// due is the digest of an hour that is over at a time; nil, if there is none to tell.
func (v *severe) due(now detect.Time) *output.Digest {
	if !v.digest.due(now) {
		return nil
	}
	return v.digest.take(now, v.least)
}

// rest is the digest of the hour in which the run ends.
func (v *severe) rest() *output.Digest {
	if v.digest.Scans == 0 {
		return nil
	}
	return v.digest.take(v.digest.latest, v.least)
}
