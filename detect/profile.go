package detect

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed profiles/*.yaml
var profileFiles embed.FS

// Profile returns the rules of a built-in profile: "default" or "splunk". An
// unknown name is an error that lists the known ones.
func Profile(name string) (Rules, error) {
	text, err := ProfileSource(name)
	if err != nil {
		return Rules{}, err
	}
	return ParseRules(text, name+".yaml")
}

// ProfileSource returns the text of a built-in profile, a commented rules file
// that can be printed, changed and given to [ParseRules]. The slice is the
// caller's. An unknown name is an error that lists the known ones.
func ProfileSource(name string) ([]byte, error) {
	text, err := profileFiles.ReadFile("profiles/" + name + ".yaml")
	if err != nil {
		known := Profiles()
		if w := closest(name, known); w != "" {
			return nil, fmt.Errorf("unknown profile %s: did you mean %q?", quoted(name), w)
		}
		return nil, fmt.Errorf("unknown profile %s: must be %s", quoted(name), oneOf(known))
	}
	return text, nil
}

// Profiles returns the names of the built-in profiles, sorted.
func Profiles() []string {
	// An embedded directory has no error: it is there, or the program does not
	// compile.
	files, _ := profileFiles.ReadDir("profiles")
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}
