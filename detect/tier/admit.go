package tier

func (t *Table) bucket(h uint64) []suspect {
	n := h & uint64(len(t.slots)/ways-1)
	return t.slots[n*ways:][:ways]
}

func (t *Table) find(h uint64) *suspect {
	bucket, tag := t.bucket(h), tagOf(h)
	for i := range bucket {
		if bucket[i].tag&^hit == tag {
			return &bucket[i]
		}
	}
	return nil
}

// admit makes a suspect of a source, or returns nil. From half full on, it asks at
// the door, but for one that is known to come again.
func (t *Table) admit(h uint64, known bool) *suspect {
	if !known && 2*t.stats.Suspects >= len(t.slots) && !t.door.admits(t.keys.again(h)) {
		t.stats.Barred++
		return nil
	}
	return t.seat(h)
}

// seat makes a suspect of a source, or returns nil if all that it could displace are more
// suspect.
func (t *Table) seat(h uint64) *suspect {
	worst, least := t.worst(h)
	if worst.tag != 0 {
		if least > perTarget {
			t.stats.Crowded++
			return nil
		}
		t.stats.Evicted++
		t.stats.Suspects--
	}
	worst.begin(tagOf(h), t.hour)
	t.stats.Suspects++
	t.stats.Admitted++
	return worst
}

// worst is a free slot for a source, or the one with the lowest score.
func (t *Table) worst(h uint64) (worst *suspect, least int64) {
	bucket := t.bucket(h)
	for i := range bucket {
		s := &bucket[i]
		if s.tag == 0 {
			return s, 0
		}
		if score := s.score(t.hour); worst == nil || score < least {
			worst, least = s, score
		}
	}
	return worst, least
}

// sweep looks at two slots, so that those who have been quiet for long do not
// keep the table half full.
func (t *Table) sweep() {
	for range 2 {
		if s := &t.slots[t.hand]; s.tag != 0 && s.score(t.hour) < 0 {
			t.drop(s)
			t.stats.Expired++
		}
		t.hand = (t.hand + 1) & (len(t.slots) - 1)
	}
}

func (t *Table) drop(s *suspect) {
	*s = suspect{}
	t.stats.Suspects--
}
