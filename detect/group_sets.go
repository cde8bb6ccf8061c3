package detect

// binSets hold the values of bins that have many of them.
type binSets struct {
	sets   []map[uint64]struct{}
	owners []uint64 // keys of the groups that have them
	spare  []uint32
	hand   int // the place that is looked at next where there is no room
	held   int // values in all of them
	room   int // values, by the bound
	max    int // values: enough for each rule to fire
}

// take gives an empty set to the group of a key.
func (b *binSets) take(key uint64) (place uint32) {
	set := make(map[uint64]struct{}, 2*few)
	if n := len(b.spare); n > 0 {
		place, b.spare = b.spare[n-1], b.spare[:n-1]
		b.sets[place], b.owners[place] = set, key
		return place
	}
	b.sets, b.owners = append(b.sets, set), append(b.owners, key)
	return uint32(len(b.sets) - 1)
}

// lacks reports whether there is no room for a value that is not in a set.
func (b *binSets) lacks(place uint32, value uint64) bool {
	if b.held < b.max {
		return false
	}
	_, has := b.sets[place][value]
	return !has
}

// add takes a value into a set, if there is room, and returns how many that has.
func (b *binSets) add(place uint32, value uint64) int {
	set := b.sets[place]
	had := len(set)
	if had < maxDistinct && b.held < b.max {
		set[value] = struct{}{}
		b.held += len(set) - had
	}
	return len(set)
}

// remove takes a value out of a set, and returns how many that has.
func (b *binSets) remove(place uint32, value uint64) int {
	set := b.sets[place]
	had := len(set)
	delete(set, value)
	b.held += len(set) - had
	return len(set)
}

// free takes a set from its group.
func (b *binSets) free(place uint32) {
	b.held -= len(b.sets[place])
	b.sets[place], b.owners[place] = nil, 0
	b.spare = append(b.spare, place)
}
