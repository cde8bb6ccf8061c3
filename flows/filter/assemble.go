package filter

import (
	"slices"

	"golang.org/x/net/bpf"
)

// assembler builds a program from its end to its beginning, so that the places
// to jump to are there already: jumps only go forward. A place is counted from
// the end of the program.
type assembler struct{ code []bpf.Instruction }

// farthest is how far a conditional jump can go.
const farthest = 255

// put puts an instruction in front and returns its place.
func (a *assembler) put(in bpf.Instruction) int {
	a.code = append(a.code, in)
	return len(a.code) - 1
}

// skip is how many instructions lie between the one that is put next and a
// place.
func (a *assembler) skip(to int) int { return len(a.code) - to - 1 }

// jump puts a conditional jump in front, over stones where it is too far.
func (a *assembler) jump(cond bpf.JumpTest, val uint32, yes, no int) int {
	// A stone for one side moves the other side further away.
	if a.skip(yes) >= farthest-1 {
		yes = a.put(bpf.Jump{Skip: uint32(a.skip(yes))})
	}
	if a.skip(no) >= farthest {
		no = a.put(bpf.Jump{Skip: uint32(a.skip(no))})
	}
	return a.put(bpf.JumpIf{
		Cond: cond, Val: val, SkipTrue: uint8(a.skip(yes)), SkipFalse: uint8(a.skip(no)),
	})
}

// check puts a check in front.
func (a *assembler) check(c check, yes, no int) int {
	at := a.jump(c.cond, c.val, yes, no)
	for _, in := range slices.Backward(c.load) {
		at = a.put(in)
	}
	return at
}

// node puts a lowered node in front and returns where it begins.
func (a *assembler) node(n node, yes, no int) int {
	if yes == no {
		return yes
	}
	switch n := n.(type) {
	case check:
		return a.check(n, yes, no)
	case negation:
		return a.node(n.x, no, yes)
	case group:
		for i := len(n.terms) - 1; i > 0; i-- {
			if at := a.node(n.terms[i], yes, no); n.or {
				no = at
			} else {
				yes = at
			}
		}
		return a.node(n.terms[0], yes, no)
	case known:
		if n {
			return yes
		}
	}
	return no
}

// program is the code from its beginning.
func (a *assembler) program() []bpf.Instruction {
	all := make([]bpf.Instruction, 0, len(a.code))
	for _, in := range slices.Backward(a.code) {
		all = append(all, in)
	}
	return all
}
