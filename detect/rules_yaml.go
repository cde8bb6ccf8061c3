package detect

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on the text of a rules file. The YAML reader recurses as deep as the
// text nests, keeps a path for each value, and takes a time that grows with the
// square of the keys and commas, so its input is checked first. 256 rules with
// every key have 5,000 keys.
const (
	maxRulesSize  = 1 << 20 // bytes
	maxIndicators = 1 << 16 // characters with a meaning in YAML, comments included
	maxTokens     = 1 << 15 // words and punctuation outside comments
	maxKeys       = 6000
	maxNesting    = 8 // brackets open at once, or list dashes on one line
)

// indicators are the characters at which the YAML scanner can start a token.
const indicators = "[]{},:-?&*!|>'\"%@`#"

// checkText refuses what is no text, or too much of it.
func (p *ruleProblems) checkText(data []byte) bool {
	if len(data) > maxRulesSize {
		p.add(rulePos{}, "the file is larger than 1 MiB: it is hardly a rules file")
		return false
	}
	at := rulePos{1, 1}
	count := 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			p.add(at, "byte 0x%02x is not UTF-8: save the file as UTF-8 text", data[i])
			return false
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f, r == 0xfeff:
			p.add(at, "character U+%04X has no place in a rules file", r)
			return false
		case r < utf8.RuneSelf && strings.IndexByte(indicators, byte(r)) >= 0:
			if count++; count > maxIndicators {
				p.add(at, "more than %d punctuation characters: it is hardly a rules file", maxIndicators)
				return false
			}
		}
		i += size
		at.column++
		if r == '\n' {
			at = rulePos{at.line + 1, 1}
		}
	}
	return true
}

// parseYAML reads one document of the plain part of YAML that rules need. The
// result is nil if the document is empty or, with a problem added, wrong.
func (p *ruleProblems) parseYAML(data []byte) ast.Node {
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	if !p.checkText(data) {
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if !p.checkTokens(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p.addSyntax(err)
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			return doc.Body
		}
	}
	return nil
}

func (p *ruleProblems) addSyntax(err error) {
	at, msg := rulePos{}, err.Error()
	if located, ok := errors.AsType[yaml.Error](err); ok {
		msg = located.GetMessage()
		if t := located.GetToken(); t != nil {
			at = tokenAt(t)
		}
	}
	if strings.HasPrefix(msg, "mapping value is not allowed") {
		msg += ": is the line indented like its neighbours, and text with a colon in quotes?"
	}
	p.add(at, "not valid YAML: %s", msg)
}

// tokenCheck is how far checkTokens has come.
type tokenCheck struct {
	tokens, keys     int
	depth            int // brackets open
	dashes, dashLine int // dashes so far on this line
	ended            bool
}

// checkTokens refuses the parts of YAML that rules do not need: anchors and
// aliases, with which a small file can stand for an endless one, and what
// nests, types or hides values.
func (p *ruleProblems) checkTokens(tokens token.Tokens) bool {
	var c tokenCheck
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		if wrong := c.wrong(t); wrong != "" {
			p.add(tokenAt(t), "%s", wrong)
			return false
		}
	}
	return true
}

// wrong says what is wrong with the next token, if anything.
func (c *tokenCheck) wrong(t *token.Token) string {
	if what := unwanted(t.Type); what != "" {
		return what
	}
	if c.ended || c.tokens > 0 && t.Type == token.DocumentHeaderType {
		return "a rules file is one YAML document: nothing may follow it"
	}
	c.tokens++
	switch t.Type {
	case token.DocumentEndType:
		c.ended = true
	case token.MappingValueType:
		c.keys++
	case token.SequenceStartType, token.MappingStartType:
		c.depth++
	case token.SequenceEndType, token.MappingEndType:
		c.depth--
	case token.SequenceEntryType:
		if at := tokenAt(t); at.line != c.dashLine {
			c.dashes, c.dashLine = 0, at.line
		}
		c.dashes++
	}
	switch {
	case c.tokens > maxTokens:
		return fmt.Sprintf("more than %d words and punctuation marks: it is hardly a rules file", maxTokens)
	case c.keys > maxKeys:
		return fmt.Sprintf("more than %d keys: it is hardly a rules file", maxKeys)
	case c.depth > maxNesting || c.dashes > maxNesting:
		return fmt.Sprintf("nested too deeply: no value of a rules file is more than %d levels deep", maxNesting)
	}
	return ""
}

func unwanted(t token.Type) string {
	switch t {
	case token.AnchorType, token.AliasType, token.MergeKeyType:
		return "anchors, aliases and merge keys (&, *, <<) are not read in a rules file: write the value out"
	case token.TagType:
		return "tags (!) are not read in a rules file: write the value alone"
	case token.LiteralType, token.FoldedType:
		return "block text (| and >) is not read in a rules file: write the value on the line of its key"
	case token.DirectiveType:
		return "directives (%) are not read in a rules file: leave the line out"
	case token.MappingKeyType:
		return "keys marked by ? are not read in a rules file: write key: value"
	}
	return ""
}

func tokenAt(t *token.Token) rulePos {
	if t.Position == nil {
		return rulePos{1, 1}
	}
	return rulePos{t.Position.Line, t.Position.Column}
}
