package app

import (
	"sync"

	"github.com/synoptic-ids/synoptic/detect"
)

// severe lets through the records of scans that are severe enough, or were once. All methods
// may be called from any goroutine.
type severe struct {
	least    int
	mu       sync.Mutex
	told     map[string]struct{} // ids of open scans that were let through
	withheld uint64              // scans that closed and were not
}

// lets is whether a record is let through. A scan that was once is to its close, so that
// nobody waits for that.
func (v *severe) lets(s *detect.Scan) bool {
	if v.least == 0 {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	_, told := v.told[s.ID]
	told = told || s.Severity >= v.least
	switch {
	case s.Phase == detect.Close:
		delete(v.told, s.ID)
		if !told && s.MergedInto == "" {
			v.withheld++
		}
	case told:
		v.told[s.ID] = struct{}{}
	}
	return told
}

// count is how many scans were withheld to their close.
func (v *severe) count() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.withheld
}
