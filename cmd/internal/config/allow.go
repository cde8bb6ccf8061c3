package config

import (
	"fmt"
	"os"
	"slices"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect"
)

// allow adds the allow-list of the command line to that of the rules.
func (o Origin) allow(ofRules []detect.Allowance) ([]detect.Allowance, error) {
	if o.Allow == "" {
		return ofRules, nil
	}
	list, err := AllowFile(o.Allow)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if slices.ContainsFunc(ofRules, func(b detect.Allowance) bool { return a.Name == b.Name }) {
			return nil, exit.With(exit.Usage, fmt.Errorf("allow-list: %q is the name of an entry in %s and in %s", a.Name, o.Rules, o.Allow),
				"rename one of them, so that records tell them apart")
		}
	}
	return slices.Concat(ofRules, list), nil
}

// AllowFile reads and checks an allow-list.
func AllowFile(name string) ([]detect.Allowance, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("reading allow-list: %w", err))
	}
	list, err := detect.ParseAllow(data, name)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("allow-list: %w", err), "'synoptic config allow' prints an example")
	}
	return list, nil
}

// IsAllowFile reports whether a file is an allow-list rather than a rules file. One
// that cannot be read is neither.
func IsAllowFile(name string) bool {
	data, err := os.ReadFile(name)
	return err == nil && detect.HoldsAllow(data)
}
