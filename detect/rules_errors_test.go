package detect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	overRange  = "over: must be a whole number from 1 to 65535, not "
	withinWant = "within: must be run, walk or a duration from 1s to 365d such as 90s, 5m, 1h or 7d, not "
	shareWant  = "share: must be a number from 0 to 1 such as 0.3, not "
	portWant   = "port: must be a port from 0 to 65535 or a range such as 1-1023, not "
	nameWant   = "name: must be 1 to 64 lower-case letters, digits and hyphens, not "
	countWant  = "count: must be one of dst_port, dst, target, ip_proto, not "
	byWant     = "by: must be one of src, dst, dst_net, dst_port, proto, not "
	protoWant  = "proto: must be one of tcp, udp, icmp, sctp, arp, ndp, ip, not "
	homeWant   = "home: must be a network such as 10.0.0.0/8 or an address such as 192.0.2.1, not "
	colonWhy   = ": is the line indented like its neighbours, and text with a colon in quotes?"
	ruleKeyAll = "name, count, by, of, over, within, window, share, sigma, proto, port, from, and"
)

type ruleErrorCase struct{ in, want string }

func TestRuleErrorsOfNeededKeys(t *testing.T) {
	checkRuleErrors(t, []ruleErrorCase{
		{"name: X", `2:11: ` + nameWant + `"X"`},
		{"name: a_b", `2:11: ` + nameWant + `"a_b"`},
		{`name: ""`, `2:11: ` + nameWant + `""`},
		{"name: 7", `2:11: ` + nameWant + `7`},
		{"name:", `2:5: ` + nameWant + `nothing`},
		{"name: [x]", `2:11: ` + nameWant + `a list`},
		{"name: " + strings.Repeat("a", 65), `2:11: ` + nameWant + `"` + strings.Repeat("a", 40) + `…"`},
		{"count: hosts", `3:12: ` + countWant + `"hosts"`},
		{"count: 1", `3:12: ` + countWant + `1`},
		{"count: dest_port", `3:12: count: unknown value "dest_port": did you mean "dst_port"?`},
		{"count: src", `3:12: count: src cannot be counted: scans are opened by source`},
		{"count: dst", `3:12: count: dst is also in by, where it has one value`},
		{"by: [dst]", `4:9: by: must contain src: scans are opened by source`},
		{"by: []", `4:9: by: must be one or more of src, dst, dst_net, dst_port, proto, not an empty list`},
		{"by:", `4:5: ` + byWant + `nothing`},
		{"by: [src, ~]", `4:15: ` + byWant + `nothing`},
		{"by: [src, src]", `4:15: by: "src" is listed twice`},
		{"by: [src, 1]", `4:15: ` + byWant + `1`},
		{"by: [src, [dst]]", `4:15: ` + byWant + `a list`},
		{"by: {src: 1}", `4:9: ` + byWant + `a mapping`},
		{"by: [src, ip_proto]", `4:15: ` + byWant + `"ip_proto"`},
		{"over: 0", `5:11: ` + overRange + `0`},
		{"over: 65536", `5:11: ` + overRange + `65536`},
		{"over: -1", `5:11: ` + overRange + `-1`},
		{"over: 1.5", `5:11: ` + overRange + `1.5`},
		{"over: 010", `5:11: ` + overRange + `010`},
		{"over: 0x10", `5:11: ` + overRange + `0x10`},
		{"over: 1_0", `5:11: ` + overRange + `1_0`},
		{"over: 99999999999999999999", `5:11: ` + overRange + `"99999999999999999999"`},
		{`over: "9"`, `5:11: ` + overRange + `"9": leave out the quotes`},
		{"over: true", `5:11: ` + overRange + `true`},
		{"over:", `5:5: ` + overRange + `nothing`},
		{"over: [9]", `5:11: ` + overRange + `a list`},
		{"over:\n      a: 1", `6:7: ` + overRange + `a mapping`},
		{"within: 0s", `6:13: ` + withinWant + `"0s"`},
		{"within: 366d", `6:13: ` + withinWant + `"366d"`},
		{"within: 8761h", `6:13: ` + withinWant + `"8761h"`},
		{"within: 5", `6:13: ` + withinWant + `5`},
		{"within: 5w", `6:13: ` + withinWant + `"5w"`},
		{"within: 1.5h", `6:13: ` + withinWant + `"1.5h"`},
		{"within: -5m", `6:13: ` + withinWant + `"-5m"`},
		{"within: 999999999999d", `6:13: ` + withinWant + `"999999999999d"`},
		{"within: m", `6:13: ` + withinWant + `"m"`},
		{`within: ""`, `6:13: ` + withinWant + `""`},
		{"within: [5m]", `6:13: ` + withinWant + `a list`},
	})
}

func TestRuleErrorsOfFurtherKeys(t *testing.T) {
	checkRuleErrors(t, []ruleErrorCase{
		{"+window: rolling", `7:13: window: must be one of sliding, tumbling, slow, divided, not "rolling"`},
		{"+window: tumblin", `7:13: window: unknown value "tumblin": did you mean "tumbling"?`},
		{"+share: -0.1", `7:12: ` + shareWant + `-0.1`},
		{"+share: 1.01", `7:12: ` + shareWant + `1.01`},
		{"+share: .nan", `7:12: ` + shareWant + `.nan`},
		{"+share: .inf", `7:12: ` + shareWant + `.inf`},
		{"+share: 30%", `7:12: ` + shareWant + `"30%"`},
		{`+share: "0.3"`, `7:12: ` + shareWant + `"0.3": leave out the quotes`},
		{"+proto: tpc", `7:12: proto: unknown value "tpc": did you mean "tcp"?`},
		{"+proto: 6", `7:12: ` + protoWant + `6`},
		{"+proto: [tcp, tcp]", `7:18: proto: "tcp" is listed twice`},
		{"+port: 65536", `7:11: ` + portWant + `65536`},
		{"+port: -1", `7:11: ` + portWant + `-1`},
		{"+port: ssh", `7:11: ` + portWant + `"ssh"`},
		{"+port: 1-", `7:11: ` + portWant + `"1-"`},
		{"+port: 1-2-3", `7:11: ` + portWant + `"1-2-3"`},
		{"+port: [22, 1023-1]", `7:16: port: the range 1023-1 runs backwards: did you mean 1-1023?`},
		{"+port: 1.5", `7:11: ` + portWant + `1.5`},
		{"+port: []", `7:11: port: must be one or more ports or ranges such as 1-1023, not an empty list`},
		{"+from: inside", `7:11: from: must be home or external, not "inside"`},
		{"+of: nothing-such", `7:9: of: must be one of ` + strings.Join(selectorWords(), ", ") + `, not "nothing-such"`},
		{"+of: unproductve", `7:9: of: unknown value "unproductve": did you mean "unproductive"?`},
		{"+of: [silent, refused]", `7:18: of: refused contradicts silent: an attempt has one outcome, and all of the list must hold`},
		{"+of: [udp, all, tcp-syn]", `7:20: of: tcp-syn contradicts udp: an attempt has one technique, and all of the list must hold`},
		{"+of: [inbound, outbound]", `7:19: of: outbound contradicts inbound: an attempt has one direction, and all of the list must hold`},
		{"+of: [all, all]", `7:15: of: "all" is listed twice`},
		{"+and: 5", `7:10: and: a condition must be a mapping with the keys count, over, not 5`},
		{"+and: []", `7:10: and: must be one or more conditions such as {count: dst, over: 5}, not an empty list`},
		{"+and: [{count: target}]", `7:12: over: is missing: a condition needs count, over`},
		{"+and: [{over: 1}]", `7:12: count: is missing: a condition needs count, over`},
		{"+and: [{count: target, over: 0}]", `7:33: ` + overRange + `0`},
		{"+and: [{count: target, ovr: 1}]", `7:27: unknown key "ovr": did you mean "over"?`},
		{"+and: [{count: src, over: 1}]", `7:19: count: src cannot be counted: scans are opened by source`},
		{"+and: [{count: dst_port, over: 1}]", `7:19: count: dst_port is already counted by this rule`},
		{"+and: [{count: dst, over: 1}]", `7:19: count: dst is also in by, where it has one value`},
		{"+proto: arp", `3:12: count: dst_port cannot be counted of proto arp, which has no ports`},
		{"+proto: [arp, icmp]", `3:12: count: dst_port cannot be counted of proto arp, icmp, which has no ports`},
		{"+of: [all, icmp-echo]", `3:12: count: dst_port cannot be counted of icmp-echo, which has no ports`},
		{"+cuont: dst", `7:5: unknown key "cuont": did you mean "count"?`},
		{"+timeout: 5m", `7:5: unknown key "timeout": the keys here are ` + ruleKeyAll},
		{"+7: 5m", `7:5: unknown key "7": the keys here are ` + ruleKeyAll},
		{"+over: 5", `7:5: over: is given twice, first in line 5`},
	})
}

// TestRuleErrorsOfWalks: what a walk cannot be combined with.
func TestRuleErrorsOfWalks(t *testing.T) {
	const rule = "rules:\n  - {name: a, by: [src, proto], over: 8, within: walk, "
	for keys, want := range map[string]string{
		"count: dst, share: 0.3}":                      "2:75: share: has no meaning with within: walk, where successes count against failures",
		"count: dst, window: tumbling}":                "2:76: window: tumbling has no meaning with within: walk, which takes as long as it takes",
		"count: dst, of: silent}":                      "2:72: of: must be unproductive with within: walk, which goes up with failures and down with successes",
		"count: target}":                               "2:63: count: must be dst or dst_port with within: walk",
		"count: dst, and: [{count: target, over: 3}]}": "2:73: and: has no meaning with within: walk, where successes count against failures",
	} {
		_, err := ParseRules([]byte(rule+keys+"\n"), "f")
		require.EqualError(t, err, "f:"+want)
	}
	_, err := ParseRules([]byte("rules:\n  - {name: a, count: dst, by: [src, dst_net], over: 8, within: walk}\n"), "f")
	require.EqualError(t, err, "f:2:31: by: dst_net has no meaning with within: walk, which goes over hosts or over ports of one")
}

// TestRuleErrorsOfSigma: what can be compared with earlier hours.
func TestRuleErrorsOfSigma(t *testing.T) {
	for rule, want := range map[string]string{
		"{name: a, count: dst, by: [src], over: 19, within: 1h, sigma: 7}":                                                    "2:67: sigma: compares an hour with earlier hours: it needs within: 1h and window: tumbling",
		"{name: a, count: dst, by: [src], over: 19, within: 1d, window: tumbling, sigma: 7}":                                  "2:85: sigma: compares an hour with earlier hours: it needs within: 1h and window: tumbling",
		"{name: a, count: dst, by: [src], over: 19, within: 1h, window: tumbling, sigma: 0}":                                  "2:85: sigma: must be a number from 1 to 100 such as 7, not 0",
		"{name: a, count: dst, by: [src], over: 19, within: 1h, window: tumbling, sigma: high}":                               "2:85: sigma: must be a number from 1 to 100 such as 7, not \"high\"",
		"{name: a, count: dst, by: [src], over: 19, within: 1h, window: tumbling, sigma: 7, and: [{count: target, over: 3}]}": "2:93: and: has no meaning with sigma",
	} {
		_, err := ParseRules([]byte("rules:\n  - "+rule+"\n"), "f")
		require.EqualError(t, err, "f:"+want, rule)
	}
}

// checkRuleErrors puts a wrong value in place of a key of the plain rule (lines
// 2 to 6), or adds a line to it (line 7).
func checkRuleErrors(t *testing.T, cases []ruleErrorCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.in, func(t *testing.T) {
			_, err := ParseRules([]byte(withLine(t, c.in)), "f")
			require.EqualError(t, err, "f:"+c.want)
		})
	}
}

// withLine is the plain rule with the line of one key replaced, or, after a plus sign, added.
func withLine(t *testing.T, in string) string {
	t.Helper()
	if line, added := strings.CutPrefix(in, "+"); added {
		return plain + "    " + line + "\n"
	}
	key, _, _ := strings.Cut(in, ":")
	lines := strings.Split(plain, "\n")
	for i, line := range lines {
		before, _, found := strings.Cut(line, key+":")
		if found && strings.Trim(before, " -") == "" {
			lines[i] = before + in
			return strings.Join(lines, "\n")
		}
	}
	require.Fail(t, "no such key in the plain rule", key)
	return ""
}

func TestMissingKeys(t *testing.T) {
	for _, key := range []string{"name", "count", "by", "over", "within"} {
		t.Run(key, func(t *testing.T) {
			keys := map[string]string{"name": "x", "count": "dst_port", "by": "src", "over": "9", "within": "5m"}
			delete(keys, key)
			var lines []string
			for _, k := range ruleKeys() {
				if v, ok := keys[k]; ok {
					lines = append(lines, k+": "+v)
				}
			}
			_, err := ParseRules([]byte("rules:\n  - "+strings.Join(lines, "\n    ")+"\n"), "f")
			require.EqualError(t, err, fmt.Sprintf("f:2:5: %s: is missing: a rule needs name, count, by, over, within", key))
		})
	}
}

func TestRuleFileErrors(t *testing.T) {
	const top = "a rules file must be a mapping with the keys home, rules, allow, not "
	const list = `rules: must be a list of rules, each beginning with "- name:", not `
	deep := strings.Repeat("[", 9)
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "1:1: " + top + "nothing"},
		{"comment", "# nothing here\n", "1:1: " + top + "nothing"},
		{"list", "- a\n", "1:1: " + top + "a list"},
		{"text", "hello\n", `1:1: ` + top + `"hello"`},
		{"no rules", "home: [10.0.0.0/8]\n", "1:1: rules: is missing: a rules file needs rules"},
		{"mistyped rules", "rule: []\n", `1:1: unknown key "rule": did you mean "rules"?`},
		{"rules empty", "rules: []\n", "1:8: " + list + "an empty list"},
		{"rules nothing", "rules:\n", "1:1: " + list + "nothing"},
		{"rules mapping", "rules:\n  name: x\n", "2:3: " + list + "a mapping"},
		{"rule text", "rules:\n  - x\n", `2:5: a rule must be a mapping with the keys ` + ruleKeyAll + `, not "x"`},
		{"second rule nothing", plain + "  -\n", `7:5: a rule must be a mapping with the keys ` + ruleKeyAll + `, not nothing`},
		{"rule nothing", "rules:\n  -\n", `2:5: a rule must be a mapping with the keys ` + ruleKeyAll + `, not nothing`},
		{"rules twice", plain + "rules: []\n", "7:1: rules: is given twice, first in line 1"},
		{"name twice", plain + strings.TrimPrefix(plain, "rules:\n"), `7:11: name: "x" is already the name of the rule in line 2`},
		{"home empty", "home: []\n" + plain, "1:7: home: must be one or more networks such as 10.0.0.0/8, not an empty list"},
		{"home number", "home: 10\n" + plain, "1:7: " + homeWant + "10"},
		{"home text", "home: [inside]\n" + plain, `1:8: ` + homeWant + `"inside"`},
		{"home zone", "home: [fe80::1%eth0]\n" + plain, `1:8: ` + homeWant + `"fe80::1%eth0"`},
		{"home too long", "home: [10.0.0.0/33]\n" + plain, `1:8: ` + homeWant + `"10.0.0.0/33"`},
		{"home mapped", `home: ["::ffff:10.0.0.1"]` + "\n" + plain, "1:8: home: ::ffff:10.0.0.1/128 is an IPv4 address in IPv6 form: write it as IPv4"},
		{"home twice", "home: [10.0.0.1, 10.0.0.1/32]\n" + plain, "1:18: home: 10.0.0.1/32 is listed twice"},
		{"home, too many", "home: [" + strings.Repeat("10.0.0.0/8,", 1024) + "::1]\n" + plain, fmt.Sprintf("1:%d: home: at most 1024 networks fit, these are 1025", 8+1024*11)},
		{"port, too many", plain + "    port: [" + strings.Repeat("1,", 256) + "1]\n", "7:524: port: at most 256 ports and ranges fit, these are 257"},
		{"run and tumbling", strings.Replace(plain, "5m", "run\n    window: tumbling", 1), "7:13: window: tumbling has no meaning with within: run, which is the whole input"},
		{"run and sliding", strings.Replace(plain, "within: 5m", "window: sliding\n    within: run", 1), "6:13: window: sliding has no meaning with within: run, which is the whole input"},
		{"port of icmp", "rules:\n  - {name: x, count: dst, by: [src], over: 9, within: 5m, proto: icmp, port: 7}\n", "2:78: port: cannot narrow down proto icmp, which has no ports"},
		{"too large", plain + strings.Repeat(" ", 1<<20), "1:1: the file is larger than 1 MiB: it is hardly a rules file"},
		{"not UTF-8", "rules: é\xff\n", "1:9: byte 0xff is not UTF-8: save the file as UTF-8 text"},
		{"zero byte", "rules:\n  \x00\n", "2:3: character U+0000 has no place in a rules file"},
		{"much punctuation", strings.Repeat("#\n", 1<<16+1), "65537:1: more than 65536 punctuation characters: it is hardly a rules file"},
		{"many keys", strings.Repeat("a: b\n", 6001), "6001:2: more than 6000 keys: it is hardly a rules file"},
		{"many words", "rules: [" + strings.Repeat("1,", 20000) + "]", "1:32774: more than 32768 words and punctuation marks: it is hardly a rules file"},
		{"anchor", "home: &a [10.0.0.0/8]\n", "1:7: anchors, aliases and merge keys (&, *, <<) are not read in a rules file: write the value out"},
		{"alias", "rules:\n  - *a\n", "2:5: anchors, aliases and merge keys (&, *, <<) are not read in a rules file: write the value out"},
		{"merge key", "<<: {rules: 1}\n", "1:1: anchors, aliases and merge keys (&, *, <<) are not read in a rules file: write the value out"},
		{"tag", "rules: !!seq []\n", "1:8: tags (!) are not read in a rules file: write the value alone"},
		{"block text", "rules: |\n  x\n", "1:8: block text (| and >) is not read in a rules file: write the value on the line of its key"},
		{"directive", "%YAML 1.2\n---\n" + plain, "1:1: directives (%) are not read in a rules file: leave the line out"},
		{"marked key", "? rules\n: []\n", "1:1: keys marked by ? are not read in a rules file: write key: value"},
		{"two documents", plain + "---\n" + plain, "7:1: a rules file is one YAML document: nothing may follow it"},
		{"text after the end", plain + "...\nhome: []\n", "8:1: a rules file is one YAML document: nothing may follow it"},
		{"deep", "rules: " + deep + "\n", "1:16: nested too deeply: no value of a rules file is more than 8 levels deep"},
		{"deep dashes", "rules:\n" + strings.Repeat("- ", 9) + "x\n", "2:17: nested too deeply: no value of a rules file is more than 8 levels deep"},
		{"open bracket", "rules: [\n", "1:8: not valid YAML: sequence end token ']' not found"},
		{"open quote", "rules: \"x\n", `1:8: not valid YAML: could not find end character of double-quoted text`},
		{"indentation", "rules:\n  - name: x\n     count: dst\n", "2:11: not valid YAML: mapping value is not allowed in this context" + colonWhy},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseRules([]byte(c.in), "f")
			require.EqualError(t, err, "f:"+c.want)
		})
	}
}
