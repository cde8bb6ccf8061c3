package config

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

// Mode says when something is done that depends on where output goes.
type Mode string

// The modes.
const (
	Auto   Mode = "auto" // on a terminal
	Always Mode = "always"
	Never  Mode = "never"
)

func mode(flag, value string) (Mode, error) {
	switch m := Mode(value); m {
	case Auto, Always, Never:
		return m, nil
	case "":
		return Auto, nil
	default:
		return "", exit.With(exit.Usage, fmt.Errorf("%s %q is not auto, always or never", flag, value))
	}
}

// tunnels reads which packets of a tunnel count.
func tunnels(value string) (flows.Tunnels, error) {
	if value == "" {
		return flows.TunnelsInner, nil
	}
	t, err := flows.ParseTunnels(value)
	if err != nil {
		return 0, exit.With(exit.Usage, fmt.Errorf("--tunnels %w", err),
			"inner looks for scans in what tunnels carry, outer in what is not in a tunnel, both in either")
	}
	return t, nil
}

// Filter reads a filter expression; nil if there is none.
func Filter(expr string) (*filter.Filter, error) {
	if strings.TrimSpace(expr) == "" {
		return nil, nil
	}
	f, err := filter.Parse(expr)
	if err == nil {
		return f, nil
	}
	hints := []string{"'synoptic filter --help' shows what can be written"}
	if e, ok := errors.AsType[*filter.Error](err); ok && e.Hint != "" {
		hints = []string{e.Hint}
	}
	return nil, exit.With(exit.Usage, fmt.Errorf("filter: %w", err), hints...)
}

// Format is an output format.
type Format string

// The formats.
const (
	Text     Format = "text"     // for people
	JSON     Format = "json"     // the canonical records, one a line
	Attempts Format = "attempts" // every attempt, one JSON object a line
)

// Formats are all formats, in the order in which they are listed to people.
func Formats() []Format { return []Format{Text, JSON, Attempts} }

// Output is where records go, and how.
type Output struct {
	Format Format
	// Path is a file; empty means standard output.
	Path string
	// MinSeverity is of the least severe scans that are written, 1 to 5; 0: all are.
	MinSeverity int
}

// String is the output as it would be asked for.
func (o Output) String() string {
	format := string(o.Format)
	if o.MinSeverity > 0 {
		format += "," + minSeverity + "=" + output.SeverityName(o.MinSeverity)
	}
	return format + ":" + cmp.Or(o.Path, "-")
}

// minSeverity is the option of an output, and the flag for all that have none of their own.
const minSeverity = "min-severity"

// outputs reads the outputs asked for. Without any it is text on standard
// output.
func outputs(s Settings, least int) ([]Output, error) {
	specs := s.Outputs
	if s.JSON {
		specs = append([]string{string(JSON)}, specs...)
	}
	if len(specs) == 0 {
		return []Output{{Format: Text, MinSeverity: least}}, nil
	}
	var all []Output
	for _, spec := range specs {
		out, err := parseOutput(spec, least)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if err := collide(other, out); err != nil {
				return nil, err
			}
		}
		all = append(all, out)
	}
	return all, nil
}

func parseOutput(spec string, least int) (Output, error) {
	head, path, given := strings.Cut(spec, ":")
	name, option, has := strings.Cut(head, ",")
	out := Output{Format: Format(name), Path: path}
	switch out.Format {
	case Text, JSON:
		out.MinSeverity = least
	case Attempts:
	default:
		return out, exit.With(exit.Usage, fmt.Errorf("-o %q: no output format is called %q", spec, name),
			"the formats are text, json and attempts; write to a file with -o json:FILE")
	}
	if has {
		if err := out.option(spec, option); err != nil {
			return out, err
		}
	}
	if given && path == "" {
		return out, exit.With(exit.Usage, fmt.Errorf("-o %q: the name of the file is missing", spec))
	}
	if path == "-" {
		out.Path = ""
	}
	return out, nil
}

// option reads what is asked for of an output alone.
func (o *Output) option(spec, text string) (err error) {
	name, value, _ := strings.Cut(text, "=")
	if name != minSeverity || value == "" || o.Format == Attempts {
		return exit.With(exit.Usage, fmt.Errorf("-o %q: no option of %s is called %q", spec, o.Format, text),
			"scans that are less severe are withheld with -o json,min-severity=medium:FILE")
	}
	o.MinSeverity, err = severity(fmt.Sprintf("-o %q: %s", spec, minSeverity), value)
	return err
}

func collide(a, b Output) error {
	if a.Path != b.Path {
		return nil
	}
	if a.Path == "" {
		return exit.With(exit.Usage, fmt.Errorf("%s and %s cannot both be written to standard output", a.Format, b.Format),
			fmt.Sprintf("write one to a file: -o %s:FILE", b.Format))
	}
	return exit.With(exit.Usage, fmt.Errorf("%s and %s cannot both be written to %s", a.Format, b.Format, a.Path))
}

func severity(flag, value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	for n := 1; n <= output.MaxSeverity; n++ {
		if value == output.SeverityName(n) || value == strconv.Itoa(n) {
			return n, nil
		}
	}
	return 0, exit.With(exit.Usage, fmt.Errorf("%s %q is no severity", flag, value),
		"severities are 1 to 5, or info, low, medium, high, critical")
}

// defaultHeartbeat makes some 300 records a day, and tells within ten minutes that nothing
// comes.
const defaultHeartbeat = 5 * time.Minute

// heartbeat reads how often a run without end says how it is doing.
func heartbeat(value string, live bool) (time.Duration, error) {
	switch {
	case !live && value != "":
		return 0, exit.With(exit.Usage, fmt.Errorf("--heartbeat is for a run that does not end by itself"), "captures are followed with --follow")
	case !live:
		return 0, nil
	case value == "":
		return defaultHeartbeat, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > 0 && d < time.Second {
		return 0, exit.With(exit.Usage, fmt.Errorf("--heartbeat %q is no time of a second or more", value), "write it as 30s, 5m or 1h; 0 for none")
	}
	return d, nil
}
