package flows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// probes are questions with the one packet that answers each. $S is the responder,
// $P its port, $C the initiator's port.
var probes = []string{
	"0s S a:$C > $S:$P seq=9\n$D SA $S:$P > a:$C ack=10",
	"0s S a:$C > $S:$P seq=9\n$D RA $S:$P > a:$C ack=10",
	"0s FPU a:$C > $S:$P\n$D RA $S:$P > a:$C",
	"0s S a:$C > $S:$P\n$D unreachable z > a code=13 quote=6:a:$C>$S:$P",
	"0s udp a:$C > $S:$P\n$D udp $S:$P > a:$C reply",
	"0s udp a:$C > $S:$P\n$D udp $S:$P > a:$C",
	"0s udp a:$C > $S:$P\n$D unreachable $S > a code=3 quote=17:a:$C>$S:$P",
	"0s init a:$C > $S:$P seq=7\n$D abort $S:$P > a:$C",
	"0s echo a > $S id=$P\n$D echo-reply $S > a id=$P",
	"0s timestamp a > $S id=$P\n$D unreachable z > a code=1 quote=1:a:$P>$S:13",
	"0s arp a > $S group\n$D arp-reply $S > a",
	"0s udp a:$C > $S:$P",
	"0s S a:$C > $S:$P",
}

// drawProbes draws a scan, a probe every few milliseconds. Each has a target of its own.
func drawProbes(t *rapid.T) trace {
	var packets trace
	at := int64(0)
	for i := range rapid.IntRange(1, 60).Draw(t, "probes") {
		at += rapid.Int64Range(0, 20*refMilli).Draw(t, "gap")
		// An answer is later than its question: of UDP one of the same time is not.
		delay := rapid.Int64Range(1, 40*refMilli).Draw(t, "delay")
		names := strings.NewReplacer("$S", fmt.Sprintf("198.51.100.%d", 1+i), "$P", fmt.Sprint(100+i),
			"$C", fmt.Sprint(40000+i), "$D", fmt.Sprintf("%dns", delay))
		for line := range strings.Lines(rapid.SampledFrom(probes).Draw(t, "probe")) {
			p, err := refParse(names.Replace(line))
			if err != nil {
				t.Fatalf("%v", err)
			}
			p.Time += at
			packets = append(packets, p)
		}
	}
	slices.SortStableFunc(packets, func(a, b Packet) int { return cmp.Compare(a.Time, b.Time) })
	return packets
}

// outcomes is what becomes of each target.
func outcomes(packets []Packet) map[Key]Outcome {
	last := packets[0]
	for _, p := range packets {
		last.Time = max(last.Time, p.Time)
	}
	last.Kind, last.Time = KindFragment, last.Time+20*refSecond
	of := map[Key]Outcome{}
	for _, e := range play(tableLine{NewTable(TableConfig{})}, append(slices.Clone(packets), last)) {
		if e.Kind == Final {
			of[e.Key] = e.Outcome
		}
	}
	return of
}

// Packets that are handed over up to 50 ms late, with the times at which they
// came, lead to the same outcomes as in order: answers before their questions too.
func TestOutcomesDoNotDependOnTheOrderOfHandingOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		packets := drawProbes(t)
		want := outcomes(packets)
		handed := make(map[int]int64, len(packets))
		order := make([]int, len(packets))
		for i := range packets {
			order[i] = i
			handed[i] = packets[i].Time + rapid.Int64Range(0, 50*refMilli-1).Draw(t, "late")
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(handed[a], handed[b]) })
		shuffled := make(trace, 0, len(packets))
		for _, i := range order {
			shuffled = append(shuffled, packets[i])
		}
		sameEvents(t, shuffled)
		if got := outcomes(shuffled); fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("in order %v\nout of order %v", want, got)
		}
	})
}

// An answer is kept for its question without allocating: one that comes, and one
// that never does.
func TestEarlyAnswersAllocateNothing(t *testing.T) {
	table := NewTable(TableConfig{MaxEntries: 500})
	events := make([]Event, 0, 64)
	at, i := refBase, 0
	script := refScript(t, "2ms RA b:1 > a:1000\n1ms S a:1000 > b:1\n2ms SA b:2 > a:1000\n1ms udp b:53 > a:1000 reply\n0ms udp a:1000 > b:53")
	step := func() {
		for _, p := range script {
			p.Time += at - refBase
			p.Src[15], p.Dst[15] = p.Src[15]+byte(i), p.Dst[15]+byte(i)
			p.Src[14], p.Dst[14] = byte(i>>8), byte(i>>8)
			events = table.Add(&p, events[:0])
		}
		at += 5 * millisecond
		i++
	}
	for range 20000 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(20000, step))
	require.NotNil(t, table.waiting.slots)
}

// Of more answers than there is room for the later ones wait.
func TestEarlyAnswersAreBounded(t *testing.T) {
	t.Parallel()
	const room = earlyBuckets * ways
	var answers, questions []Packet
	for i := range 2 * room {
		k := fmt.Sprintf("198.51.%d.%d:80", i/250, 1+i%250)
		answers = append(answers, refScript(t, fmt.Sprintf("1ms RA %s > a:1000", k))...)
		questions = append(questions, refScript(t, fmt.Sprintf("0s S a:1000 > %s", k))...)
	}
	refused := 0
	for _, e := range play(tableLine{NewTable(TableConfig{})}, append(answers, questions...)) {
		if e.Kind == Final && e.Outcome == Refused {
			refused++
		}
	}
	require.Greater(t, refused, room*9/10)
	require.LessOrEqual(t, refused, room)
}
