package filter

import (
	"fmt"
	"slices"
	"strings"
)

// Hidden is a part of a filter by which packets are left out that belong to
// conversations of which other packets fit.
type Hidden struct {
	Part string // as an expression
	Why  string // what is left out
}

// Hides lists the parts by which a filter shows conversations incompletely: one
// direction of them, or some of their packets. Outcomes of attempts cannot be
// told then. It is empty where whoever talks to whom is kept or left out as a
// whole, as far as it can be told from the expression.
func (f *Filter) Hides() []Hidden {
	var all []Hidden
	oneWay := sorted(f.root) != sorted(mirrored(f.root))
	each(f.root, false, func(n node, negated bool) {
		why := ""
		switch n := n.(type) {
		case address, port, hardware:
			if oneWay && mirror(n).String() != n.String() {
				why = "replies go the other way"
			}
		case cast:
			if !negated {
				why = "replies to groups go to single hosts"
			}
		case relation:
			why = n.hides(oneWay)
		}
		h := Hidden{n.String(), why}
		if why != "" && !slices.Contains(all, h) {
			all = append(all, h)
		}
	})
	return all
}

// hides says what a comparison leaves out.
func (r relation) hides(oneWay bool) string {
	other, ok := mirror(r).(relation)
	switch {
	case !ok:
		return "packets of one conversation differ in it"
	case oneWay && other.String() != r.String():
		return "replies are otherwise"
	}
	return ""
}

// sorted is an expression with the terms of and and or in an order that does
// not depend on how they were written.
func sorted(n node) string {
	switch n := n.(type) {
	case group:
		all := make([]string, len(n.terms))
		for i, t := range n.terms {
			all[i] = "(" + sorted(t) + ")"
		}
		slices.Sort(all)
		all = slices.Compact(all)
		return fmt.Sprintf("%v %s", n.or, strings.Join(all, " "))
	case negation:
		return "not (" + sorted(n.x) + ")"
	}
	return n.String()
}

// mirrored is an expression as it reads for packets the other way.
func mirrored(n node) node {
	switch n := n.(type) {
	case group:
		terms := make([]node, len(n.terms))
		for i, t := range n.terms {
			terms[i] = mirrored(t)
		}
		return group{n.or, terms}
	case negation:
		return negation{mirrored(n.x)}
	}
	return mirror(n)
}

func (d direction) mirror() direction {
	switch d {
	case source:
		return destination
	case destination:
		return source
	}
	return d
}

// mirror is a part as it reads for packets the other way; unknown if there is
// no telling.
func mirror(n node) node {
	switch n := n.(type) {
	case address:
		n.dir = n.dir.mirror()
		return n
	case port:
		n.dir = n.dir.mirror()
		return n
	case hardware:
		n.dir = n.dir.mirror()
		return n
	case relation:
		l, okL := mirrorValue(n.l)
		r, okR := mirrorValue(n.r)
		if !okL || !okR {
			return unknown{}
		}
		return mirrorType(relation{n.op, l, r})
	}
	return n
}

// answers are the types of ICMP requests and of their replies.
var answers = map[layer]map[number]number{
	layerICMP:  {8: 0, 0: 8, 13: 14, 14: 13, 17: 18, 18: 17},
	layerICMP6: {128: 129, 129: 128, 135: 136, 136: 135},
}

// mirrorType turns a comparison with an ICMP type into one with the type that
// goes the other way.
func mirrorType(r relation) node {
	f, ok := r.l.(field)
	n, isNumber := r.r.(number)
	if !ok || answers[f.layer] == nil {
		return r
	}
	other, known := answers[f.layer][n]
	if !isNumber || !known || r.op != "=" && r.op != "!=" {
		return unknown{}
	}
	r.r = other
	return r
}

func icmpType(v value) bool {
	f, ok := v.(field)
	return ok && answers[f.layer] != nil && f.off == 0
}

// mirrorValue is what stands in the other direction where v stands in this one;
// false for what is not the same, or not in the same place.
func mirrorValue(v value) (value, bool) {
	switch v := v.(type) {
	case number, fragmentation: // what fragments leave out is no direction
		return v, true
	case arithmetic:
		l, okL := mirrorValue(v.l)
		r, okR := mirrorValue(v.r)
		return arithmetic{v.op, l, r}, okL && okR && !icmpType(v.l) && !icmpType(v.r)
	case field:
		return v.mirror()
	}
	return nil, false
}

// mirror swaps the fields of source and destination.
func (f field) mirror() (value, bool) {
	var first, size uint32 // where the source is, and how long
	switch f.layer {
	case layerTCP, layerUDP, layerSCTP:
		size = 2
	case layerIP:
		first, size = 12, 4
	case layerIP6:
		first, size = 8, 16
	case layerEther, layerLink:
		size = 6
	case layerICMP, layerICMP6:
		return f, f.off == 0 && f.size == 1 || f.off >= 4
	}
	switch {
	case f.layer == layerIP && f.off == 9 && f.size == 1, f.layer == layerIP6 && f.off == 6 && f.size == 1,
		(f.layer == layerEther || f.layer == layerLink) && f.off == 12 && f.size == 2:
		return f, true // the protocol is the same both ways
	case size == 0:
		return nil, false
	case f.off >= first && f.off+f.size <= first+size:
		f.off += size
		return f, true
	case f.off >= first+size && f.off+f.size <= first+2*size:
		f.off -= size
		return f, true
	}
	return nil, false
}
