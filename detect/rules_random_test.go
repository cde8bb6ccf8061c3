package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// writeRules is the inverse of ParseRules.
func writeRules(rules Rules) []byte {
	var b strings.Builder
	b.WriteString("home:\n")
	for _, n := range rules.Home {
		fmt.Fprintf(&b, "  - %s\n", n)
	}
	b.WriteString("rules:\n")
	for _, r := range rules.Rules {
		fmt.Fprintf(&b, "  - name: %q\n    count: %s\n    by: [%s]\n    of: [%s]\n    over: %d\n",
			r.Name, r.Count, joined(r.By, ", "), joined(r.Of, ", "), r.Over)
		if r.Window == Run || r.Window == Walk {
			fmt.Fprintf(&b, "    within: %s\n", r.Window)
		} else {
			fmt.Fprintf(&b, "    within: %s\n    window: %s\n", durationText(r.Within), r.Window)
		}
		if r.Window != Walk {
			fmt.Fprintf(&b, "    share: %v\n", r.Share)
		}
		if r.Sigma > 0 {
			fmt.Fprintf(&b, "    sigma: %v\n", r.Sigma)
		}
		if len(r.Proto) > 0 {
			fmt.Fprintf(&b, "    proto: [%s]\n", joined(r.Proto, ", "))
		}
		if len(r.Port) > 0 {
			b.WriteString("    port:\n")
			for _, p := range r.Port {
				fmt.Fprintf(&b, "      - %s\n", p)
			}
		}
		if r.From != "" {
			fmt.Fprintf(&b, "    from: %s\n", r.From)
		}
		if len(r.And) > 0 {
			b.WriteString("    and:\n")
			for _, c := range r.And {
				fmt.Fprintf(&b, "      - {count: %s, over: %d}\n", c.Count, c.Over)
			}
		}
	}
	writeAllow(&b, rules.Allow)
	return []byte(b.String())
}

// drawRule draws any rule that a file may hold.
func drawRule(t *rapid.T, i int) Rule {
	r := Rule{
		Name:   rapid.StringMatching(`[a-z0-9-]{1,20}`).Draw(t, "name") + fmt.Sprint(i),
		By:     []Field{FieldSrc},
		Over:   rapid.IntRange(1, maxOver).Draw(t, "over"),
		Window: rapid.SampledFrom([]WindowKind{Sliding, Tumbling, Run}).Draw(t, "window"),
		Share:  float64(rapid.IntRange(0, 100).Draw(t, "share")) / 100,
		From:   rapid.SampledFrom(append(fromWords(), "")).Draw(t, "from"),
	}
	if r.Window != Run {
		r.Within = time.Duration(rapid.IntRange(1, 365*86400).Draw(t, "within")) * time.Second
	}
	// The fields are shared out, so that none is both counted and grouped by.
	counts := rapid.Permutation(countWords()).Draw(t, "counts")
	n := rapid.IntRange(1, len(counts)).Draw(t, "counted")
	r.Count = Field(counts[0])
	for _, c := range counts[1:n] {
		r.And = append(r.And, Condition{Field(c), rapid.IntRange(1, maxOver).Draw(t, "and")})
	}
	for _, b := range byWords()[1:] {
		if !slices.Contains(counts[:n], b) && rapid.Bool().Draw(t, "by "+b) {
			r.By = append(r.By, Field(b))
		}
	}
	r.Of = []Selector{Selector(rapid.SampledFrom([]string{"all", "connection", "unproductive", "crafted"}).Draw(t, "of"))}
	for _, words := range [][]string{outcomeWords(), {"tcp-syn", "udp", "sctp-init"}, directionWords()} {
		if rapid.Bool().Draw(t, "of one of these") {
			r.Of = append(r.Of, Selector(rapid.SampledFrom(words).Draw(t, "selector")))
		}
	}
	if rapid.Bool().Draw(t, "narrowed") {
		r.Proto = append([]string{"tcp"}, rapid.Permutation([]string{"udp", "icmp", "arp"}).Draw(t, "proto")...)
		for range rapid.IntRange(1, 4).Draw(t, "ranges") {
			a, b := rapid.Uint16().Draw(t, "port"), rapid.Uint16().Draw(t, "port")
			r.Port = append(r.Port, PortRange{min(a, b), max(a, b)})
		}
	}
	return r
}

func TestWrittenRulesReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Rules{}
		for i, b := range rapid.SliceOfNDistinct(rapid.Byte(), 1, 8, rapid.ID).Draw(t, "home") {
			a := netip.AddrFrom4([4]byte{198, 51, 100, b})
			if i%2 == 1 {
				a = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, b})
			}
			p, err := a.Prefix(rapid.IntRange(24, a.BitLen()).Draw(t, "length"))
			require.NoError(t, err)
			if !slices.Contains(want.Home, p) {
				want.Home = append(want.Home, p)
			}
		}
		for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
			want.Rules = append(want.Rules, drawRule(t, i))
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "allowed") {
			want.Allow = append(want.Allow, drawAllowance(t, i))
		}
		got, err := ParseRules(writeRules(want), "f")
		require.NoError(t, err)
		require.Equal(t, want, unplaced(got))
	})
}

// requireSound checks what holds of any input: rules within their bounds, or
// errors that each have a place in the text.
func requireSound(t require.TestingT, text []byte) {
	rules, err := ParseRules(text, "f")
	if err == nil {
		written, err := ParseRules(writeRules(rules), "written")
		require.NoError(t, err)
		require.Equal(t, unplaced(rules), unplaced(written))
		return
	}
	require.Empty(t, rules)
	lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + 1
	several, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	last := rulePos{}
	for _, one := range several.Unwrap() {
		var e *RuleError
		require.ErrorAs(t, one, &e)
		require.Equal(t, "f", e.File)
		require.NotEmpty(t, e.Msg)
		require.True(t, utf8.ValidString(e.Msg))
		require.NotContains(t, e.Msg, "\n")
		require.Positive(t, e.Column)
		require.True(t, e.Line >= 1 && e.Line <= lines, "line %d of %d", e.Line, lines)
		require.False(t, e.Line < last.line || e.Line == last.line && e.Column < last.column)
		last = rulePos{e.Line, e.Column}
	}
}

// mutate draws one change of text: bytes dropped, repeated, or replaced by
// pieces that mean something in a rules file.
func mutate(t *rapid.T, text []byte) []byte {
	from := rapid.IntRange(0, len(text)).Draw(t, "from")
	to := min(len(text), from+rapid.IntRange(0, 12).Draw(t, "length"))
	pieces := []string{
		"", "\n", "  ", "\t", "- ", ": ", ":", ",", "[", "]", "{", "}", "\"", "'", "#", "|", ">", "&a ", "*a", "<<: ", "!x ", "? ",
		"~", "---\n", "...\n", "%", "@", "`", "\\", "\x00", "\xff", "\u2028", "é", "\r", "-1", "99999999999999999999", "0x", ".nan", "rules:", "and: [{count: dst, over: 1}]",
	}
	piece := rapid.SampledFrom(append(pieces, string(text[from:to]))).Draw(t, "piece")
	return slices.Concat(text[:from], []byte(piece), []byte(piece), text[to:])
}

func TestChangedRulesAreReadOrRefused(t *testing.T) {
	var sources [][]byte
	for _, name := range Profiles() {
		text, err := ProfileSource(name)
		require.NoError(t, err)
		sources = append(sources, text)
	}
	sources = append(sources, []byte(plain), append([]byte(plain), AllowExample()...))
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(sources).Draw(t, "source")
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			text = mutate(t, text)
		}
		requireSound(t, text)
	})
}

func FuzzParseRules(f *testing.F) {
	for _, name := range Profiles() {
		text, err := ProfileSource(name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(plain))
	f.Add(AllowExample())
	f.Add([]byte(plain + "allow: [{name: x, src: 192.0.2.1, note: y, when: [sat, 22:00-06:00], zone: Asia/Tokyo, expires: 2026-02-29}]"))
	f.Add([]byte("home: [::1, 10.0.0.1/8]\nrules: [{name: x, and: [{count: dst}]}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) { requireSound(t, text) })
}
