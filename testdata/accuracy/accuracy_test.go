package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
)

func profile(t *testing.T) detect.Rules {
	t.Helper()
	rules, err := detect.Profile("default")
	require.NoError(t, err)
	return rules
}

func TestLoweredRules(t *testing.T) {
	rules := profile(t)
	tens := 0
	for i, r := range lowered(rules).Rules {
		if rules.Rules[i].Over == 9 {
			tens++
			require.Equal(t, 6, r.Over, r.Name)
			continue
		}
		require.Equal(t, rules.Rules[i], r)
	}
	require.Greater(t, tens, 2)
	require.Equal(t, profile(t), rules, "the shipped ones are left alone")
}

// Found, missed, wrong, grey, and not to be read, one of each.
func TestLabelledCaptures(t *testing.T) {
	dir := t.TempDir()
	for to, from := range map[string]string{
		"a/found.pcap": "syn-vertical.pcap", "a/missed.pcap": "mail.pcap", "b/wrong.pcap": "fin.pcap", "b/grey.pcap": "xmas.pcap",
	} {
		text, err := os.ReadFile(filepath.Join("..", "captures", from))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(to)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), text, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "labels.jsonl"), []byte(
		`{"file":"a/found.pcap","scans":[{"src":"203.0.113.250","certain":true},{"src":"203.0.113.7","certain":false}]}
{"file":"a/missed.pcap","scans":[{"src":"192.0.2.25","certain":true}]}
{"file":"b/wrong.pcap","scans":[]}
{"file":"b/grey.pcap","grey":true,"scans":[]}
{"file":"b/nosuch.pcap","scans":[]}
`), 0o600))
	var out bytes.Buffer
	require.NoError(t, labelled(&out, dir, profile(t)))
	said := out.String()
	for _, want := range []string{
		"a                  2         2              1      0      0     0\n",
		"b                  3         0              0      1      1     1\n",
		"all                5         2              1      1      1     1\n",
		"  missed: a/missed.pcap: 192.0.2.25\n",
		"  wrong: b/wrong.pcap: 203.0.113.250 ",
		"  not read: b/nosuch.pcap: ",
		"crafted-ports-on-a-host  1      1\n",
	} {
		require.Contains(t, said, want)
	}
	require.Error(t, labelled(&out, t.TempDir(), profile(t)))
}
