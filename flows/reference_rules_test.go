package flows

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ruleLine is what the reference and the Table have in common.
type ruleLine interface {
	add(p *Packet) []Event
	advance(now int64) []Event
	end() []Event
}

// tableLine makes a Table a ruleLine.
type tableLine struct{ t *Table }

func (l tableLine) add(p *Packet) []Event     { return l.t.Add(p, nil) }
func (l tableLine) advance(now int64) []Event { return l.t.Advance(now, nil) }
func (l tableLine) end() (events []Event) {
	for more := true; more; {
		events, more = l.t.Close(events)
	}
	return events
}

var ruleLines = []struct {
	name string
	make func() ruleLine
}{
	{"reference", func() ruleLine { return newReference() }},
	{"table", func() ruleLine { return tableLine{NewTable(TableConfig{})} }},
}

// endsLines are those by which rule 20 holds.
var endsLines = []struct {
	name string
	make func() ruleLine
}{
	{"reference", func() ruleLine { r := newReference(); r.endsOnly = true; return r }},
	{"table", func() ruleLine { return tableLine{NewTable(TableConfig{Ends: true})} }},
}

// ruleScenario is a part of a file of testdata/rules: packets, each with the
// events behind it, which are indented. "end" is the end of the input.
type ruleScenario struct {
	name string
	text string
}

func readRules(t *testing.T, file string) []ruleScenario {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []ruleScenario
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(line, "= "); ok {
			all = append(all, ruleScenario{name: strings.TrimSpace(name)})
			continue
		}
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		require.NotEmpty(t, all, "%s: a line before the first name", file)
		all[len(all)-1].text += line
	}
	return all
}

// play feeds the packets of a scenario to l and returns it with the events that came.
func (s ruleScenario) play(t *testing.T, l ruleLine) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(s.text) {
		if line[0] == '\t' {
			continue
		}
		b.WriteString(line)
		var events []Event
		if strings.TrimSpace(line) == "end" {
			events = l.end()
		} else {
			p, err := refParse(line)
			require.NoError(t, err)
			events = l.add(&p)
		}
		for i := range events {
			b.WriteString("\t" + refEventLine(&events[i]) + "\n")
		}
	}
	return b.String()
}

func TestRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/rules/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		lines := ruleLines
		if filepath.Base(file) == "ends.txt" {
			lines = endsLines
		}
		for _, impl := range lines {
			for _, s := range readRules(t, file) {
				t.Run(impl.name+"/"+filepath.Base(file)+"/"+s.name, func(t *testing.T) {
					t.Parallel()
					require.Equal(t, s.text, s.play(t, impl.make()))
				})
			}
		}
	}
}

// oneWayFlows is n TCP flows of which only the initiator's side is seen, and m
// that are refused, all within a second. The initiators are at x, the responder is y.
func oneWayFlows(n, m int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "0s S x:%d > y:%d seq=9\n0s A x:%d > y:%d seq=10\n", 1000+i, 1+i, 1000+i, 1+i)
	}
	for i := range m {
		fmt.Fprintf(&b, "0s S x:%d > y:%d\n0s R y:%d > x:%d\n", 2000+i, 2000+i, 2000+i, 2000+i)
	}
	return b.String()
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before string
		probe  string
		want   string
	}{
		{"no flows", "", "1s S a:1 > b:80", "silent"},
		{"2 unseen flows are too few", oneWayFlows(2, 0), "1s S a:1 > b:80", "silent"},
		{"3 unseen flows, and none that is seen", oneWayFlows(3, 0), "1s S a:1 > b:80", "unseen"},
		{"19 flows are too few, where one is seen", oneWayFlows(18, 1), "1s S a:1 > b:80", "silent"},
		{"20 unseen flows", oneWayFlows(20, 0), "1s S a:1 > b:80", "unseen"},
		{"a tenth is seen", oneWayFlows(18, 2), "1s S a:1 > b:80", "silent"},
		{"less than a tenth is seen", oneWayFlows(19, 2), "1s S a:1 > b:80", "unseen"},
		{"another interface", oneWayFlows(20, 0), "1s S a:1 > b:80 if=1", "silent"},
		{"another VLAN", oneWayFlows(20, 0), "1s S a:1 > b:80 vlan=1", "silent"},
		{"UDP goes by TCP", oneWayFlows(20, 0), "1s udp a:1 > b:80", "unseen"},
		{"echo goes by TCP", oneWayFlows(20, 0), "1s echo a > b", "unseen"},
		{"timestamp goes by TCP", oneWayFlows(20, 0), "1s timestamp a > b", "unseen"},
		{"mask goes by TCP", oneWayFlows(20, 0), "1s mask a > b", "unseen"},
		{"IP protocols go by TCP", oneWayFlows(20, 0), "1s proto a > b", "unseen"},
		{"SCTP does not", oneWayFlows(20, 0), "1s init a:1 > b:80", "silent"},
		{"ARP does not", oneWayFlows(20, 0), "1s arp a > b", "silent"},
		{"neighbour discovery does not", oneWayFlows(20, 0), "1s solicit a6 > b6", "silent"},
		{"flag probes are TCP", oneWayFlows(20, 0), "1s F a:1 > b:80", "unseen"},
		{"UDP has 20 of its own", oneWayFlows(20, 0) + udpFlows(20), "1s udp a:1 > b:80", "silent"},
		{"UDP has 19 of its own", oneWayFlows(20, 0) + udpFlows(19), "1s udp a:1 > b:80", "unseen"},
	} {
		for _, impl := range ruleLines {
			t.Run(c.name+"/"+impl.name, func(t *testing.T) {
				t.Parallel()
				packets := refScript(t, c.before+c.probe+"\n1.6s fragment z > y\n")
				counted := eventsOf(play(impl.make(), packets), Counted, "192.0.2.1")
				if len(counted) == 0 {
					counted = eventsOf(play(impl.make(), packets), Counted, "2001:db8::1")
				}
				require.Len(t, counted, 1)
				require.Equal(t, c.want, refOutcomeNames[counted[0].Outcome])
			})
		}
	}
}

// udpFlows is n answered datagrams to targets of their own.
func udpFlows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "0s udp x:1000 > y:%d\n1ms udp y:%d > x:1000\n", 1+i, 1+i)
	}
	return b.String()
}

// What was called unseen takes every outcome that silence does.
func TestUnseenRisesAsSilenceDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ packet, want string }{
		{"2s RA b:80 > a:1", "Raised refused"},
		{"2s SA b:80 > a:1", "Raised answered"},
		{"2s A b:80 > a:1", "Raised answered"},
		{"2s A a:1 > b:80 seq=6", "Raised answered"},
		{"2s unreachable z > a quote=6:a:1>b:80", "Raised unreachable"},
		{"2s exceeded z > a quote=6:a:1>b:80", "Withdrawn expired"},
	} {
		for _, impl := range ruleLines {
			t.Run(c.packet+"/"+impl.name, func(t *testing.T) {
				t.Parallel()
				events := play(impl.make(), refScript(t, oneWayFlows(40, 0)+"1s S a:1 > b:80 seq=5\n"+c.packet+"\n"))
				last := eventsOf(events, Raised, "192.0.2.1")
				last = append(last, eventsOf(events, Withdrawn, "192.0.2.1")...)
				require.Len(t, last, 1)
				require.Equal(t, c.want, refKindNames[last[0].Kind]+" "+refOutcomeNames[last[0].Outcome])
				require.Equal(t, refBase+2*int64(time.Second), last[0].At)
			})
		}
	}
}

// Time that passes without packets fires the timers.
func TestAdvanceMovesTheClock(t *testing.T) {
	t.Parallel()
	for _, impl := range ruleLines {
		t.Run(impl.name, func(t *testing.T) {
			t.Parallel()
			l := impl.make()
			require.Empty(t, l.advance(refBase-refMinute), "the first packet starts the clock")
			p := refScript(t, "0s S a:1000 > b:80")[0]
			require.Len(t, l.add(&p), 1)
			require.Empty(t, l.advance(refBase+refCountAfter-1))
			counted := l.advance(refBase + refCountAfter)
			require.Len(t, counted, 1)
			require.Equal(t, Counted, counted[0].Kind)
			require.Empty(t, l.advance(refBase), "the clock never runs back")
			require.Len(t, l.advance(refBase+refFinalAfter), 1)
			require.Empty(t, l.end())
		})
	}
}

func play(l ruleLine, packets []Packet) []Event {
	var events []Event
	for i := range packets {
		events = append(events, l.add(&packets[i])...)
	}
	return append(events, l.end()...)
}

func eventsOf(events []Event, k EventKind, initiator string) []Event {
	return slices.DeleteFunc(slices.Clone(events), func(e Event) bool {
		return e.Kind != k || Addr(e.Initiator).String() != initiator
	})
}
