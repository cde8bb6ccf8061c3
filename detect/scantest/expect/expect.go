// Package expect compares scans with what was expected of them. An
// expectation gives some fields of a scan record; scans and expectations must
// match one to one.
package expect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
)

// Expectation is some fields of a scan record and the values they must have.
// Fields it does not give are not compared.
type Expectation struct {
	// Line is where it stands in its file, from 1; 0 without a file.
	Line   int
	fields map[string]any // as decoded from JSON, numbers as json.Number
}

// List is a set of expectations. One without any expects that there are no
// scans.
type List struct {
	Name string // where the list comes from, for messages
	Want []Expectation
}

// maxLine is the longest line that Read takes, in bytes.
const maxLine = 16 << 20

// Read reads expectations: one JSON object a line, each with fields of a scan
// record. Records that are not of closed scans are passed over, so that what a
// run printed can be read as it is; so are empty lines, and lines that begin
// with #. Errors name the line.
func Read(r io.Reader, name string) (*List, error) {
	list := &List{Name: name}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		fields, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if !closes(fields) {
			continue
		}
		if err := known(fields); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		list.add(Expectation{Line: n, fields: fields})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// add takes an expectation. A scan that was reopened closes once more: the later
// record stands in place of the earlier.
func (l *List) add(e Expectation) {
	same := func(o Expectation) bool {
		return o.fields["id"] == e.fields["id"] && o.fields["first"] == e.fields["first"]
	}
	if e.fields["id"] != nil && e.fields["verdict"] == string(detect.Engaged) {
		if i := slices.IndexFunc(l.Want, same); i >= 0 {
			l.Want[i] = e
			return
		}
	}
	l.Want = append(l.Want, e)
}

// Fields makes an expectation of fields by the names they have in JSON. A
// name that is no field of a record is an error.
func Fields(fields map[string]any) (Expectation, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return Expectation{}, err
	}
	normal, err := parse(text)
	if err != nil {
		return Expectation{}, err
	}
	return Expectation{fields: normal}, known(normal)
}

func parse(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value on the line")
	}
	if fields == nil {
		return nil, errors.New("not a JSON object: null")
	}
	return fields, nil
}

// closes reports whether a record is an expectation: of a closed scan that was not
// merged into another, or of one that does not say what it is.
func closes(fields map[string]any) bool {
	event, hasEvent := fields["event"]
	phase, hasPhase := fields["phase"]
	_, merged := fields["merged_into"]
	return (!hasEvent || event == "scan") && (!hasPhase || phase == string(detect.Close)) && !merged
}

func known(fields map[string]any) error {
	names := fieldNames()
	for _, name := range sortedKeys(fields) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("a scan record has no field %q", name)
		}
	}
	return nil
}

// fieldNames are the fields of a scan record, in their order.
func fieldNames() []string {
	t := reflect.TypeFor[detect.Scan]()
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// normal is a scan record as JSON has it.
func normal(s *detect.Scan) map[string]any {
	text, err := json.Marshal(s)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	fields, err := parse(text)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return fields
}
