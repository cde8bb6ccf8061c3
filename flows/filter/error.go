package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is what is wrong with an expression.
type Error struct {
	// Word is the word it is about; empty at the end of the expression.
	Word string
	// Column is where that word begins, in characters, from 1.
	Column int
	// Msg says what is wrong with it.
	Msg string
	// Hint says what to write instead; may be empty.
	Hint string
}

// Error implements error: `column 5: "prot": no word of filters`.
func (e *Error) Error() string {
	if e.Word == "" {
		return fmt.Sprintf("column %d: %s", e.Column, e.Msg)
	}
	return fmt.Sprintf("column %d: %q: %s", e.Column, e.Word, e.Msg)
}

func problem(expr string, at int, word, msg, hint string) *Error {
	at = min(at, len(expr))
	return &Error{Word: word, Column: utf8.RuneCountInString(expr[:at]) + 1, Msg: msg, Hint: hint}
}

// resembling is the known word that a mistyped one is nearest to; empty if
// none is near.
func resembling(word string) string {
	word = strings.ToLower(word)
	best, least := "", 2
	if len(word) < 4 {
		least = 1
	}
	for _, known := range vocabulary {
		if d := distance(word, known); d <= least && d < len(known) {
			if d < least || best == "" {
				best, least = known, d
			}
		}
	}
	return best
}

// distance is how many letters have to be put in, left out or changed. Words
// that are much longer than any known one are not compared.
func distance(a, b string) int {
	const longest = 16
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var row [longest + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := before
			if a[i] != b[j] {
				d = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
