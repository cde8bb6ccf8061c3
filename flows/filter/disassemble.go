package filter

import (
	"fmt"
	"strings"

	"golang.org/x/net/bpf"
)

// Disassemble writes a program as tcpdump -d does, an instruction a line.
func Disassemble(program []bpf.Instruction) (string, error) {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return "", fmt.Errorf("assembling the program: %w", err)
	}
	var out strings.Builder
	for i, in := range raw {
		op, arg := mnemonic(in)
		line := fmt.Sprintf("(%03d) %-8s %s", i, op, arg)
		switch {
		case in.Op == 0x05: // jump always
			line = fmt.Sprintf("(%03d) %-8s %d", i, "ja", i+1+int(in.K))
		case in.Op&7 == 5:
			line = fmt.Sprintf("(%03d) %-8s %-16s jt %d\tjf %d", i, op, arg, i+1+int(in.Jt), i+1+int(in.Jf))
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String(), nil
}

// lengthExtension is where Linux keeps the length of a frame for those who do
// not use the instruction for it.
const lengthExtension = 0xfffff000

// mnemonic names the instructions that [Filter.Prefilter] uses.
func mnemonic(in bpf.RawInstruction) (op, arg string) {
	sized := map[uint16]string{0x20: "ld", 0x28: "ldh", 0x30: "ldb"}
	jumps := map[uint16]string{0x15: "jeq", 0x25: "jgt", 0x35: "jge", 0x45: "jset"}
	switch {
	case in.Op == 0x80:
		return "ld", "#pktlen"
	case sized[in.Op] != "":
		if in.K >= lengthExtension { // what lies in front of the frame
			return sized[in.Op], fmt.Sprintf("[%d]", int32(in.K))
		}
		return sized[in.Op], fmt.Sprintf("[%d]", in.K)
	case jumps[in.Op] != "":
		return jumps[in.Op], fmt.Sprintf("#0x%x", in.K)
	case in.Op == 0x54:
		return "and", fmt.Sprintf("#0x%x", in.K)
	case in.Op == 0x06:
		return "ret", fmt.Sprintf("#%d", in.K)
	}
	return "unimp", fmt.Sprintf("0x%x", in.Op)
}
