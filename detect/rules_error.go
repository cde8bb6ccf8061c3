package detect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// maxRuleErrors bounds how many errors are reported of one file.
const maxRuleErrors = 100

// RuleError is one mistake in a rules file, or what cannot be counted exactly.
type RuleError struct {
	File string // as given to ParseRules
	// Line and Column say where, both from 1; 0 where no file is known. Columns count
	// characters.
	Line, Column int
	// Rule is the name of the rule, where its file is not needed to know it.
	Rule string
	// Msg says what is wrong and what would be right, beginning with the key
	// where there is one.
	Msg string
}

// Error implements error: "rules.yaml:7:9: over: must be …".
func (e *RuleError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("rule %q: %s", e.Rule, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// rulePos is a place in a rules file, both from 1.
type rulePos struct{ line, column int }

// ruleProblems collects the mistakes of one file, so that all can be reported at
// once.
type ruleProblems struct {
	file string
	errs []*RuleError
}

func (p *ruleProblems) add(at rulePos, format string, args ...any) {
	p.errs = append(p.errs, &RuleError{
		File: p.file, Line: max(at.line, 1), Column: max(at.column, 1),
		Msg: fmt.Sprintf(format, args...),
	})
}

// err joins the mistakes in order of position, or is nil without any.
func (p *ruleProblems) err() error {
	if len(p.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(p.errs, func(a, b *RuleError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if more := len(p.errs) - maxRuleErrors; more > 0 {
		p.errs = p.errs[:maxRuleErrors+1]
		rest := *p.errs[maxRuleErrors]
		rest.Msg = fmt.Sprintf("%d more errors from here on", more)
		p.errs[maxRuleErrors] = &rest
	}
	list := make([]error, len(p.errs))
	for i, e := range p.errs {
		list[i] = e
	}
	return errors.Join(list...)
}
