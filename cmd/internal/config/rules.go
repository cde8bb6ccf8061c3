package config

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// Origin says where rules come from, as [Settings] does.
type Origin struct {
	Profile, Rules string // at most one of them; none: [DefaultProfile]
	Allow          string
	Home           string
	Memory         int64 // bytes, that the rules must fit into
}

// Load reads the rules and the allow-list, and returns them with the profile's name, or
// the rules file's. Errors are of type [*exit.Error]; those of a file have its name, line
// and column.
func (o Origin) Load() (detect.Rules, string, error) {
	rules, name, err := o.load()
	if err != nil {
		return detect.Rules{}, "", err
	}
	if o.Home != "" {
		if rules.Home, err = prefixes(o.Home); err != nil {
			return detect.Rules{}, "", err
		}
	}
	if rules.Allow, err = o.allow(rules.Allow); err != nil {
		return detect.Rules{}, "", err
	}
	_, err = Inexact(rules, o.Memory)
	return rules, name, err
}

// Inexact says what so many bytes of memory leave inexact of what rules count. Rules that
// could not work are an error, of type [*exit.Error].
func Inexact(rules detect.Rules, memory int64) ([]*detect.RuleError, error) {
	var line sensor.Config
	if _, err := line.Fit(memory); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	hints, err := line.Engine.CheckRules(rules)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("rules: %w", err),
			fmt.Sprintf("--memory is %s, and more holds more; 'window: slow' counts over days in little", SizeText(memory)))
	}
	return hints, nil
}

func (o Origin) load() (rules detect.Rules, name string, err error) {
	switch {
	case o.Rules != "" && o.Profile != "":
		return rules, "", exit.With(exit.Usage, fmt.Errorf("--profile and --rules exclude each other"),
			fmt.Sprintf("'synoptic config rules --profile %s' prints a profile to start a rules file from", o.Profile))
	case o.Rules != "":
		rules, err = RulesFile(o.Rules)
		return rules, o.Rules, err
	}
	name = o.Profile
	if name == "" {
		name = DefaultProfile
	}
	rules, err = Profile(name)
	return rules, name, err
}

// Contents says how much there is in rules: "12 rules and 2 entries that allow".
func Contents(rules *detect.Rules) string {
	what := numbered(len(rules.Rules), "rule", "rules")
	if n := len(rules.Allow); n > 0 {
		what += " and " + Entries(n)
	}
	return what
}

// Entries says how many entries of an allow-list there are.
func Entries(n int) string { return numbered(n, "entry that allows", "entries that allow") }

func numbered(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// RulesFile reads and checks a rules file.
func RulesFile(name string) (detect.Rules, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return detect.Rules{}, exit.With(exit.Usage, fmt.Errorf("reading rules: %w", err))
	}
	rules, err := detect.ParseRules(data, name)
	if err == nil {
		_, err = detect.New(detect.Config{}, rules)
	}
	if err != nil {
		return detect.Rules{}, exit.With(exit.Usage, fmt.Errorf("rules: %w", err),
			"'synoptic config rules' prints the default profile as an example")
	}
	return rules, nil
}

// Profile is a built-in profile.
func Profile(name string) (detect.Rules, error) {
	if err := knownProfile(name); err != nil {
		return detect.Rules{}, err
	}
	rules, err := detect.Profile(name)
	if err != nil {
		return rules, exit.With(exit.Usage, err)
	}
	return rules, nil
}

// ProfileSource is the YAML text of a built-in profile.
func ProfileSource(name string) ([]byte, error) {
	if err := knownProfile(name); err != nil {
		return nil, err
	}
	source, err := detect.ProfileSource(name)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return source, nil
}

func knownProfile(name string) error {
	if slices.Contains(detect.Profiles(), name) {
		return nil
	}
	return exit.With(exit.Usage, fmt.Errorf("no profile is called %q", name),
		"the profiles are "+strings.Join(detect.Profiles(), ", ")+"; a file of rules of your own is read with --rules FILE")
}

// prefixes reads a comma list of prefixes and addresses.
func prefixes(list string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		p, err := netip.ParsePrefix(item)
		if addr, addrErr := netip.ParseAddr(item); err != nil && addrErr == nil && addr.Zone() == "" {
			p, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, exit.With(exit.Usage, fmt.Errorf("--home: %q is neither a prefix nor an address", item),
				"write networks as 192.0.2.0/24,2001:db8::/32")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
