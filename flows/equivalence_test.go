package flows

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// failer is what testing.T and rapid.T have in common here.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// sameEvents feeds packets to the reference and to a Table, with rule 20 and without, and
// fails at the first packet behind which the two do not say the same.
func sameEvents(t failer, packets []Packet) {
	t.Helper()
	sameEventsOf(t, packets, false)
	sameEventsOf(t, packets, true)
}

func sameEventsOf(t failer, packets []Packet, ends bool) {
	t.Helper()
	ref, table := newReference(), tableLine{NewTable(TableConfig{Ends: ends})}
	ref.endsOnly = ends
	for i := range packets {
		if want, got := normal(ref.add(&packets[i])), normal(table.add(&packets[i])); !slices.Equal(want, got) {
			t.Fatalf("%s", disagreement(packets[:i+1], ends, want, got))
		}
	}
	if want, got := normal(ref.end()), normal(table.end()); !slices.Equal(want, got) {
		t.Fatalf("%s", disagreement(packets, ends, want, got))
	}
}

// normal clears what has no meaning: the code where there was no error.
func normal(events []Event) []Event {
	for i := range events {
		if events[i].Outcome != Unreachable {
			events[i].Code = 0
		}
	}
	return events
}

// disagreement shows the packets that lead to it as a scenario of
// testdata/rules: all of them if they are few, else those between the two
// hosts that it is about.
func disagreement(packets []Packet, ends bool, want, got []Event) string {
	about := func(*Packet) bool { return true }
	if at := firstUnequal(want, got); len(packets) > 200 && at != nil {
		a, b := at.Initiator, at.Responder
		about = func(p *Packet) bool {
			return p.Src == a && p.Dst == b || p.Src == b && p.Dst == a || p.QuotedSrc == a && p.QuotedDst == b
		}
	}
	var text strings.Builder
	r := newReference()
	r.endsOnly = ends
	for i := range packets {
		events := r.add(&packets[i])
		if !about(&packets[i]) && i < len(packets)-1 {
			continue
		}
		text.WriteString(refLine(&packets[i]) + "\n")
		if i < len(packets)-1 {
			text.WriteString(eventLines(events))
		}
	}
	return fmt.Sprintf("the table differs from the reference behind the last of these packets, or at the end:\n%s"+
		"reference:\n%stable:\n%s%s", text.String(), eventLines(want), eventLines(got), firstDifference(want, got))
}

// firstUnequal returns the first event that only one of the lists has in its place.
func firstUnequal(want, got []Event) *Event {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return &got[i]
		case i >= len(got) || want[i] != got[i]:
			return &want[i]
		}
	}
	return nil
}

func eventLines(events []Event) string {
	var b strings.Builder
	for i := range events {
		b.WriteString("\t" + refEventLine(&events[i]) + "\n")
	}
	return b.String()
}

// firstDifference names the fields in which the first events that differ do.
func firstDifference(want, got []Event) string {
	for i := range min(len(want), len(got)) {
		if want[i] == got[i] {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "event %d:", i+1)
		w, g := reflect.ValueOf(want[i]), reflect.ValueOf(got[i])
		for _, f := range reflect.VisibleFields(w.Type()) {
			if f.Anonymous {
				continue
			}
			if x, y := w.FieldByIndex(f.Index).Interface(), g.FieldByIndex(f.Index).Interface(); x != y {
				fmt.Fprintf(&b, " %s %v, table %v;", f.Name, x, y)
			}
		}
		return b.String()
	}
	return fmt.Sprintf("%d events, table %d", len(want), len(got))
}

// trace is packets that rapid does not print, as sameEvents does.
type trace []Packet

// GoString implements fmt.GoStringer.
func (t trace) GoString() string { return fmt.Sprintf("%d packets", len(t)) }
