package detect

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, whatever the machine has

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/detect/weekly"
)

// entry is an entry without errors, in lines 1 to 4; further keys of it start in
// line 5.
const entry = `allow:
  - name: x
    src: 192.0.2.1
    note: why
`

// instant is a time such as "2026-12-31T23:00:00Z".
func instant(t *testing.T, text string) Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return Time(at.UnixNano())
}

func hours(t *testing.T, text string) weekly.Hours {
	t.Helper()
	h, err := weekly.Parse(text)
	require.NoError(t, err)
	return h
}

func TestParseAllowKeys(t *testing.T) {
	nets := func(list ...string) (out []netip.Prefix) {
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, c := range []struct {
		name, more string
		change     func(*Allowance)
	}{
		{"defaults", "", func(*Allowance) {}},
		{"dst one", "dst: 198.51.100.0/24", func(a *Allowance) { a.Dst = nets("198.51.100.0/24") }},
		{"dst list", "dst: [198.51.100.7, 2001:db8::/32]", func(a *Allowance) { a.Dst = nets("198.51.100.7/32", "2001:db8::/32") }},
		{"proto", "proto: [tcp, icmp]", func(a *Allowance) { a.Proto = []string{"tcp", "icmp"} }},
		{"port", "port: [22, 1024-2047]", func(a *Allowance) { a.Port = []PortRange{{22, 22}, {1024, 2047}} }},
		{"port beside protocols without", "proto: [icmp, udp]\n    port: 53", func(a *Allowance) {
			a.Proto, a.Port = []string{"icmp", "udp"}, []PortRange{{53, 53}}
		}},
		{"when one", "when: 22:00-06:00", func(a *Allowance) { a.When = []weekly.Hours{hours(t, "22:00-06:00")} }},
		{"when list", "when: [mon-fri 22:00-06:00, sat]", func(a *Allowance) {
			a.When = []weekly.Hours{hours(t, "mon-fri 22:00-06:00"), hours(t, "sat")}
		}},
		{"zone", "when: sat\n    zone: Europe/Berlin", func(a *Allowance) {
			a.When, a.Zone = []weekly.Hours{hours(t, "sat")}, "Europe/Berlin"
		}},
		{"zone UTC", "zone: UTC\n    when: sat", func(a *Allowance) { a.When, a.Zone = []weekly.Hours{hours(t, "sat")}, "UTC" }},
		{"expires", "expires: 2026-12-31", func(a *Allowance) { a.Expires = instant(t, "2027-01-01T00:00:00Z") }},
		{"expires in summer", "expires: 2026-06-30\n    zone: Europe/Berlin", func(a *Allowance) {
			a.Expires, a.Zone = instant(t, "2026-06-30T22:00:00Z"), "Europe/Berlin"
		}},
		{"expires on a leap day", "expires: 2028-02-29", func(a *Allowance) { a.Expires = instant(t, "2028-03-01T00:00:00Z") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := Allowance{Name: "x", Src: nets("192.0.2.1/32"), Note: "why"}
			c.change(&want)
			got, err := ParseAllow([]byte(entry+"    "+c.more+"\n"), "f")
			require.NoError(t, err)
			require.Equal(t, []Allowance{want}, got)

			rules, err := ParseRules([]byte(plain+entry+"    "+c.more+"\n"), "f")
			require.NoError(t, err)
			require.Equal(t, got, rules.Allow, "in a rules file it is the same")
		})
	}
}

func TestParseAllowErrors(t *testing.T) {
	const (
		whenWant    = "must be days, times or both, such as mon-fri 22:00-06:00"
		expiresWant = "expires: must be the last day, from 1971 to 2261, such as 2026-12-31, not "
		zoneWant    = "zone: must be UTC or the name of a time zone such as Europe/Berlin, not "
		noteWant    = "note: must be 1 to 200 printable characters that say who allowed it and why, not "
		networkWant = "must be a network such as 10.0.0.0/8 or an address such as 192.0.2.1, not "
		keys        = "name, src, dst, proto, port, when, zone, expires, note"
	)
	swap := func(from, to string) string { return strings.Replace(entry, from, to, 1) }
	more := func(lines string) string { return entry + "    " + lines + "\n" }
	for _, c := range []struct{ in, want string }{
		{"", "1:1: an allow-list must be a mapping with the keys allow, not nothing"},
		{"allow:\n", `1:1: allow: must be a list of entries, each beginning with "- name:", not nothing`},
		{"allow: []\n", `1:8: allow: must be a list of entries, each beginning with "- name:", not an empty list`},
		{"allow: all\n", `1:8: allow: must be a list of entries, each beginning with "- name:", not "all"`},
		{"allow: [all]\n", `1:9: an entry must be a mapping with the keys ` + keys + `, not "all"`},
		{"alow: []\n", `1:1: unknown key "alow": did you mean "allow"?`},
		{"home: []\n" + entry, `1:1: unknown key "home": the keys here are allow`},
		{"allow: [{}]\n", "1:9: name: is missing: an entry needs name, src, note\n1:9: src: is missing: an entry needs name, src, note\n1:9: note: is missing: an entry needs name, src, note"},
		{swap("name: x", "name: X"), "2:11: " + nameWant + `"X"`},
		{entry + entry[len("allow:\n"):], `5:11: name: "x" is already the name of the entry in line 2`},
		{swap("192.0.2.1", "scanner"), `3:10: src: ` + networkWant + `"scanner"`},
		{swap("192.0.2.1", "192.0.2.1/24"), "3:10: src: 192.0.2.1/24 has bits set beyond its length: did you mean 192.0.2.0/24?"},
		{swap("192.0.2.1", "02:00:00:00:00:01"), `3:10: src: ` + networkWant + `"02:00:00:00:00:01"`},
		{swap("192.0.2.1", "[]"), "3:10: src: must be one or more networks such as 10.0.0.0/8, not an empty list"},
		{swap("192.0.2.1", "::ffff:192.0.2.1"), "3:10: src: ::ffff:192.0.2.1/128 is an IPv4 address in IPv6 form: write it as IPv4"},
		{more("dst: [198.51.100.0/24, 198.51.100.0/24]"), "5:28: dst: 198.51.100.0/24 is listed twice"},
		{more("dst: fe80::1%eth0"), `5:10: dst: ` + networkWant + `"fe80::1%eth0"`},
		{more("proto: tpc"), `5:12: proto: unknown value "tpc": did you mean "tcp"?`},
		{more("port: 65536"), "5:11: " + portWant + "65536"},
		{more("port: 22\n    proto: [icmp, arp]"), "5:11: port: cannot narrow down proto icmp, arp, which has no ports"},
		{more("ports: 22"), `5:5: unknown key "ports": did you mean "port"?`},
		{more("mac: 02:00:00:00:00:01"), `5:5: unknown key "mac": the keys here are ` + keys},
		{more("when: always"), `5:11: when: "always": ` + whenWant},
		{more("when: [sat, 7]"), `5:17: when: 7: ` + whenWant},
		{more("when: mon 22:00-22:00"), `5:11: when: "mon 22:00-22:00": they end as they begin: for whole days leave the times out`},
		{"allow: [{name: x, note: y, src: 192.0.2.1, when: [sat 22:00-06:00]}]", "1:51: when: a mapping: " + whenWant + ", in quotes where YAML takes it for a key"},
		{more("when: []"), "5:11: when: must be one or more of days and times such as mon-fri 22:00-06:00, not an empty list"},
		{more("when: [" + strings.Repeat("sat, ", 64) + "sun]"), "5:332: when: at most 64 fit, these are 65"},
		{more("when: sat\n    zone: CEST+1"), "6:11: " + zoneWant + `"CEST+1"`},
		{more("when: sat\n    zone: Local"), "6:11: " + zoneWant + `"Local"`},
		{more("when: sat\n    zone: \"\""), "6:11: " + zoneWant + `""`},
		{more("when: sat\n    zone: ../../etc/passwd"), "6:11: " + zoneWant + `"../../etc/passwd"`},
		{more("when: sat\n    zone: " + strings.Repeat("A", 65)), "6:11: " + zoneWant + `"` + strings.Repeat("A", 40) + `…"`},
		{more("when: sat\n    zone: 1"), "6:11: " + zoneWant + "1"},
		{more("zone: UTC"), "5:11: zone: has no meaning without when or expires"},
		{more("expires: 2026-02-29"), "5:14: " + expiresWant + `"2026-02-29"`},
		{more("expires: 31.12.2026"), "5:14: " + expiresWant + `"31.12.2026"`},
		{more("expires: 9999-12-31"), "5:14: " + expiresWant + `"9999-12-31"`},
		{more("expires: 1970-12-31"), "5:14: " + expiresWant + `"1970-12-31"`},
		{more("expires: 2026-12-31T10:00"), "5:14: " + expiresWant + `"2026-12-31T10:00"`},
		{more("expires:"), "5:5: " + expiresWant + `nothing`},
		{more("expires: 2026-12-31\n    zone: Nowhere"), "6:11: " + zoneWant + `"Nowhere"`},
		{swap("why", `""`), "4:11: " + noteWant + `""`},
		{swap("why", `"a\nb"`), "4:11: " + noteWant + `"a\nb"`},
		{swap("why", `"a\x1b[2Jb"`), "4:11: " + noteWant + `"a\x1b[2Jb"`},
		{swap("why", "7"), "4:11: " + noteWant + "7"},
		{swap("why", strings.Repeat("é", 201)), "4:11: " + noteWant + `"` + strings.Repeat("é", 40) + `…"`},
		{swap("why", "a: b"), "4:11: not valid YAML: mapping value is not allowed in this context" + colonWhy},
	} {
		_, err := ParseAllow([]byte(c.in), "f")
		require.EqualError(t, err, "f:"+strings.ReplaceAll(c.want, "\n", "\nf:"), c.in)
	}
}

func TestParseAllowBounds(t *testing.T) {
	var b strings.Builder
	b.WriteString("allow:\n")
	for i := range maxAllowances {
		fmt.Fprintf(&b, "  - {name: a%d, src: 192.0.2.1, note: why}\n", i)
	}
	got, err := ParseAllow([]byte(b.String()), "f")
	require.NoError(t, err)
	require.Len(t, got, maxAllowances)
	b.WriteString("  - {name: one-more, src: 192.0.2.1, note: why}\n")
	_, err = ParseAllow([]byte(b.String()), "f")
	require.EqualError(t, err, "f:258:5: allow: at most 256 entries fit, these are 257")
}

func TestAllowExample(t *testing.T) {
	list, err := ParseAllow(AllowExample(), "allow.yaml")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "from 192.0.2.10/32, 2001:db8::10/128, to 198.51.100.0/24, 2001:db8:1::/48, over tcp or udp or icmp, "+
		"to ports 1-1023, 3389, 8080, mon-fri 22:00-06:00, sat, sun Europe/Berlin, until the end of 2027-03-31", list[0].Describe())
	require.Equal(t, "from 192.0.2.20/32", list[1].Describe())
	require.True(t, HoldsAllow(AllowExample()))
	for _, text := range []string{"", "a", "rules: []", plain, plain + entry, "allow: [", "[allow]"} {
		require.False(t, HoldsAllow([]byte(text)), text)
	}
}

// writeAllow is the inverse of ParseAllow.
func writeAllow(b *strings.Builder, list []Allowance) {
	if len(list) == 0 {
		return
	}
	b.WriteString("allow:\n")
	for _, a := range list {
		fmt.Fprintf(b, "  - name: %q\n    note: %q\n    src: [%s]\n", a.Name, a.Note, written(a.Src))
		for _, key := range []struct{ name, list string }{
			{"dst", written(a.Dst)},
			{"proto", joined(a.Proto, ", ")},
			{"port", written(a.Port)},
			{"when", written(a.When)},
		} {
			if key.list != "" {
				fmt.Fprintf(b, "    %s: [%s]\n", key.name, key.list)
			}
		}
		if a.Zone != "" {
			fmt.Fprintf(b, "    zone: %q\n", a.Zone)
		}
		if a.Expires != 0 {
			fmt.Fprintf(b, "    expires: %s\n", a.LastDay())
		}
	}
}

// drawAllowance draws any entry that a file may hold.
func drawAllowance(t *rapid.T, i int) Allowance {
	nets := func(label string, least int) (out []netip.Prefix) {
		for _, b := range rapid.SliceOfNDistinct(rapid.Byte(), least, 3, rapid.ID).Draw(t, label) {
			a := netip.AddrFrom4([4]byte{198, 51, 100, b})
			if rapid.Bool().Draw(t, "IPv6") {
				a = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, b})
			}
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
		return out
	}
	a := Allowance{
		Name: rapid.StringMatching(`[a-z0-9-]{1,20}`).Draw(t, "name") + fmt.Sprint(i),
		Note: rapid.StringMatching(`[ -~é]{1,50}`).Draw(t, "note"),
		Src:  nets("src", 1), Dst: nets("dst", 0),
	}
	if rapid.Bool().Draw(t, "narrowed") {
		a.Proto = append([]string{"tcp"}, rapid.Permutation([]string{"udp", "icmp", "arp"}).Draw(t, "proto")...)
		for range rapid.IntRange(0, 3).Draw(t, "ranges") {
			x, y := rapid.Uint16().Draw(t, "port"), rapid.Uint16().Draw(t, "port")
			a.Port = append(a.Port, PortRange{min(x, y), max(x, y)})
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "hours") {
		begin := rapid.IntRange(0, weekly.Day-2).Draw(t, "begin")
		a.When = append(a.When, weekly.Hours{
			First: time.Weekday(rapid.IntRange(0, 2).Draw(t, "first")), Last: time.Weekday(rapid.IntRange(0, 6).Draw(t, "last")),
			Begin: begin, End: rapid.IntRange(begin+1, weekly.Day-1).Draw(t, "end"),
		})
		if h := &a.When[len(a.When)-1]; (h.Last-h.First+7)%7 == 6 {
			h.First, h.Last = time.Sunday, time.Saturday
		}
	}
	zone := time.UTC
	if a.When != nil {
		a.Zone = rapid.SampledFrom([]string{"", "UTC", "Europe/Berlin", "Africa/Cairo"}).Draw(t, "zone")
		var err error
		zone, err = time.LoadLocation(a.Zone)
		require.NoError(t, err)
	}
	if day := rapid.IntRange(0, 20000).Draw(t, "expires"); day > 0 {
		a.Expires = Time(time.Date(1971, 1, 1+day, 0, 0, 0, 0, zone).UnixNano())
	}
	return a
}

// FuzzParseAllow: what is read is written and read the same; what is refused has
// mistakes with a place.
func FuzzParseAllow(f *testing.F) {
	f.Add(AllowExample())
	f.Add([]byte(entry + "    when: [sat, 22:00-06:00]\n    zone: Asia/Tokyo\n    expires: 2026-02-28\n"))
	f.Add([]byte("allow: [{name: x, src: [::1], note: y, port: [1-2, 3]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		HoldsAllow(text)
		list, err := ParseAllow(text, "f")
		if err != nil {
			var one *RuleError
			require.ErrorAs(t, err, &one)
			require.Empty(t, list)
			return
		}
		var b strings.Builder
		writeAllow(&b, list)
		again, err := ParseAllow([]byte(b.String()), "written")
		require.NoError(t, err)
		require.Equal(t, list, again)
		_, err = compileAllow(list)
		require.NoError(t, err, "what a file may say, an engine takes")
	})
}
