package output

import "github.com/synoptic-ids/synoptic/detect"

// painter writes with ANSI colours if it is true.
type painter bool

func (p painter) paint(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p painter) dim(s string) string  { return p.paint("2", s) }
func (p painter) bold(s string) string { return p.paint("1", s) }

// phase is the word for a phase, all of the same width.
func (p painter) phase(phase detect.Phase) string {
	word := pad(string(phase), len(detect.Update))
	switch phase {
	case detect.Open:
		return p.paint("33", word)
	case detect.Close:
		return p.paint("36", word)
	case detect.Reopen:
		return p.paint("1;31", word)
	default:
		return p.dim(word)
	}
}

// severity paints a word by a severity, from dim over plain and yellow to red.
func (p painter) severity(n int, word string) string {
	switch {
	case n <= 1:
		return p.dim(word)
	case n == 2:
		return word
	case n == 3:
		return p.paint("33", word)
	default:
		return p.paint("1;31", word)
	}
}
