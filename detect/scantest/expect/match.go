package expect

import "github.com/synoptic-ids/synoptic/detect"

// Match pairs scans and expectations one to one, as many as can be paired,
// and says what is left over. Only closed scans are looked at, as they closed last,
// and of them not those that were merged into another.
func (l *List) Match(scans []detect.Scan) Difference {
	m := matcher{want: l.Want, name: l.Name}
	var closed []detect.Scan
	for i := range scans {
		closed = detect.AddClosed(closed, scans[i])
	}
	for i := range closed {
		m.got = append(m.got, normal(&closed[i]))
	}
	m.pair()
	return m.difference()
}

// matcher finds a largest set of pairs by augmenting paths: an expectation
// that gives little may fit many scans, and must not take the only one that
// fits another.
type matcher struct {
	name  string
	want  []Expectation
	got   []map[string]any
	fits  [][]int // by expectation: scans it fits
	taken []int   // by scan: the expectation it is paired with, or -1
	tried []int   // by scan: the round in which it was tried last
}

func (m *matcher) pair() {
	bySource := map[any][]int{}
	all := make([]int, len(m.got))
	m.taken, m.tried = make([]int, len(m.got)), make([]int, len(m.got))
	for i, g := range m.got {
		bySource[g["src"]] = append(bySource[g["src"]], i)
		all[i], m.taken[i], m.tried[i] = i, -1, -1
	}
	m.fits = make([][]int, len(m.want))
	for w := range m.want {
		candidates := all
		if src, ok := m.want[w].fields["src"].(string); ok && src != "" {
			candidates = bySource[src]
		}
		for _, g := range candidates {
			if equal(m.want[w].fields, m.got[g]) {
				m.fits[w] = append(m.fits[w], g)
			}
		}
	}
	for w := range m.want {
		m.augment(w, w)
	}
}

func (m *matcher) augment(w, round int) bool {
	for _, g := range m.fits[w] {
		if m.tried[g] == round {
			continue
		}
		m.tried[g] = round
		if m.taken[g] < 0 || m.augment(m.taken[g], round) {
			m.taken[g] = w
			return true
		}
	}
	return false
}

// maxNearest is for how many expectations left over the nearest scan is looked
// for; it costs a comparison with every scan left over.
const maxNearest = 2 * maxShown

func (m *matcher) difference() Difference {
	d := Difference{Name: m.name}
	paired := make([]bool, len(m.want))
	var unexpected []int
	for g, w := range m.taken {
		if w >= 0 {
			paired[w] = true
		} else {
			unexpected = append(unexpected, g)
		}
	}
	for w := range m.want {
		if paired[w] {
			continue
		}
		if len(d.Changed)+len(d.Missing) >= maxNearest {
			d.Missing = append(d.Missing, m.want[w])
			continue
		}
		if g := m.nearest(w, unexpected); g >= 0 {
			d.Changed = append(d.Changed, Change{Want: m.want[w], got: m.got[unexpected[g]]})
			unexpected = append(unexpected[:g:g], unexpected[g+1:]...)
			continue
		}
		d.Missing = append(d.Missing, m.want[w])
	}
	for _, g := range unexpected {
		d.unexpected = append(d.unexpected, m.got[g])
	}
	return d
}

// nearest picks the scan left over that an expectation is most likely about:
// of the same source, where it gives one, and with the most fields as
// expected. It returns an index into left, or -1.
func (m *matcher) nearest(w int, left []int) int {
	best, score := -1, 0
	for i, g := range left {
		same := 0
		for name, value := range m.want[w].fields {
			if equal(value, m.got[g][name]) {
				same++
			}
		}
		src, given := m.want[w].fields["src"]
		if given && !equal(src, m.got[g]["src"]) {
			continue
		}
		if best < 0 || same > score {
			best, score = i, same
		}
	}
	if score == 0 {
		return -1
	}
	return best
}
