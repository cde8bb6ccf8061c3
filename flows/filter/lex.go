package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of an expression. Nobody types more; who sends more wants to see what
// happens.
const (
	maxLength  = 16 << 10 // bytes
	maxNesting = 64       // parentheses, negations and brackets within each other
)

// token is a word or an operator of an expression.
type token struct {
	text string
	at   int  // offset in bytes
	word bool // a name, number or address; else an operator
	// close is the index of the token that closes this parenthesis, 0 if there
	// is none.
	close int
}

// operators of two characters.
var pairs = [...]string{"&&", "||", "!=", "==", ">=", "<=", "<<", ">>"}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	// inName, inAddress and inNumber are what words go on with: within
	// brackets minus and colon are operators, outside they belong to port
	// ranges, names and addresses.
	inName    = letters + digits + "_-"
	inNumber  = letters + digits
	inAddress = letters + digits + "_-.:"
	singles   = "&|^+-*/%()[]:=<>!"
)

// lex cuts an expression into tokens.
func lex(s string) ([]token, *Error) {
	if len(s) > maxLength {
		return nil, problem(s, maxLength, "", fmt.Sprintf("an expression of %d bytes is too long", len(s)),
			fmt.Sprintf("at most %d bytes are read", maxLength))
	}
	var all []token
	var open []int // parentheses
	brackets := 0
	for i := 0; i < len(s); {
		n, isWord := lexeme(s[i:], brackets > 0, len(all) > 0 && all[len(all)-1].text == "net")
		if n == 0 {
			if strings.IndexByte(" \t\r\n", s[i]) >= 0 {
				i++
				continue
			}
			return nil, strange(s, i)
		}
		t := token{text: s[i : i+n], at: i, word: isWord}
		switch t.text {
		case "[":
			brackets++
		case "]":
			brackets = max(0, brackets-1)
		case "(":
			open = append(open, len(all))
		case ")":
			if len(open) > 0 {
				all[open[len(open)-1]].close = len(all)
				open = open[:len(open)-1]
			}
		}
		all = append(all, t)
		i += n
	}
	return all, nil
}

// lexeme is the length of the token that s starts with, and whether it is a
// word; 0 if there is none.
func lexeme(s string, bracketed, net bool) (n int, isWord bool) {
	c := s[0]
	switch {
	case strings.IndexByte(letters+digits+"\\_", c) >= 0, !bracketed && strings.HasPrefix(s, "::"):
		return wordLength(s, bracketed, net), true
	}
	for _, p := range pairs {
		if strings.HasPrefix(s, p) {
			return 2, false
		}
	}
	if strings.IndexByte(singles, c) >= 0 {
		return 1, false
	}
	return 0, false
}

func wordLength(s string, bracketed, net bool) int {
	set := inAddress
	if bracketed {
		set = inNumber
		if strings.IndexByte(letters, s[0]) >= 0 {
			set = inName
		}
	}
	n := 1
	for n < len(s) && strings.IndexByte(set, s[n]) >= 0 {
		n++
	}
	if bracketed || n+1 >= len(s) || s[n] != '/' || strings.IndexByte(digits, s[n+1]) < 0 {
		return n
	}
	if !net && !strings.ContainsAny(s[:n], ".:") {
		return n // a division
	}
	for n++; n < len(s) && strings.IndexByte(digits, s[n]) >= 0; {
		n++
	}
	return n
}

// strange is the error for a character that no token starts with.
func strange(s string, at int) *Error {
	r, _ := utf8.DecodeRuneInString(s[at:])
	hint := ""
	switch r {
	case ',':
		hint = "write lists as: port 80 or 443"
	case '"', '\'', '`', '‘', '’', '“', '”':
		hint = "quotes are for the shell only"
	case ';':
		hint = "one expression is read, parts are joined with and, or"
	}
	return problem(s, at, string(r), "stands for nothing here", hint)
}
