package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect"
)

func TestCheckDefaults(t *testing.T) {
	p, err := config.Check(config.Settings{Inputs: []string{"a.pcap"}})
	require.NoError(t, err)
	rules, err := detect.Profile("default")
	require.NoError(t, err)
	require.Equal(t, config.Plan{
		Inputs: []string{"a.pcap"}, Rules: rules, RuleName: "default",
		Outputs: []config.Output{{Format: config.Text}}, Color: config.Auto, Progress: config.Auto, Memory: 256 << 20, From: config.Origin{Memory: 256 << 20},
	}, p)
}

func TestCheckOutputs(t *testing.T) {
	for _, tt := range []struct {
		name string
		json bool
		spec []string
		want []config.Output // nil: refused
	}{
		{"json", true, nil, []config.Output{{Format: config.JSON}}},
		{"a file with colons", false, []string{"json:a:b.jsonl"}, []config.Output{{Format: config.JSON, Path: "a:b.jsonl"}}},
		{"standard output by name", false, []string{"attempts:-"}, []config.Output{{Format: config.Attempts}}},
		{"json and a file of text", true, []string{"text:a.txt"}, []config.Output{{Format: config.JSON}, {Format: config.Text, Path: "a.txt"}}},
		{"the same format twice", false, []string{"json:a", "json:b", "json"}, []config.Output{{Format: config.JSON, Path: "a"}, {Format: config.JSON, Path: "b"}, {Format: config.JSON}}},
		{"twice to standard output", true, []string{"json"}, nil},
		{"twice to standard output, by name", true, []string{"text:-"}, nil},
		{"twice to a file", false, []string{"json:a", "text:a"}, nil},
		{"an unknown format", false, []string{"JSON"}, nil},
		{"no file", false, []string{"text:"}, nil},
		{"nothing", false, []string{""}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := config.Check(config.Settings{Inputs: []string{"a.pcap"}, JSON: tt.json, Outputs: tt.spec})
			if tt.want == nil {
				require.Equal(t, exit.Usage, exit.CodeOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, p.Outputs)
		})
	}
}

func TestCheckSeverity(t *testing.T) {
	for value, want := range map[string]int{"": 0, "1": 1, "info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5, "5": 5} {
		p, err := config.Check(config.Settings{Inputs: []string{"a.pcap"}, FailOn: value})
		require.NoError(t, err)
		require.Equal(t, want, p.FailOn)
	}
	for _, value := range []string{"0", "6", "Low", "-1", " 3"} {
		_, err := config.Check(config.Settings{Inputs: []string{"a.pcap"}, FailOn: value})
		require.Equal(t, exit.Usage, exit.CodeOf(err), value)
	}
}

func TestCheckHome(t *testing.T) {
	p, err := config.Check(config.Settings{Inputs: []string{"a.pcap"}, Home: "192.0.2.77/24, 198.51.100.1,2001:db8::/32,2001:db8::1"})
	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.1/32"),
		netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2001:db8::1/128"),
	}, p.Rules.Home)
	for _, value := range []string{",", "192.0.2.0/33", "192.0.2", "fe80::1%eth0", "192.0.2.1,"} {
		_, err := config.Check(config.Settings{Inputs: []string{"a.pcap"}, Home: value})
		require.Equal(t, exit.Usage, exit.CodeOf(err), value)
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, s := range map[string]config.Settings{
		"no input":                {},
		"an empty name":           {Inputs: []string{""}},
		"standard input twice":    {Inputs: []string{"-", "-"}},
		"an unknown profile":      {Inputs: []string{"-"}, Profile: "nosuch"},
		"profile and rules":       {Inputs: []string{"-"}, Profile: "default", Rules: "x"},
		"rules that are not":      {Inputs: []string{"-"}, Rules: "nosuch.yaml"},
		"a colour mode":           {Inputs: []string{"-"}, Color: "yes"},
		"a progress mode":         {Inputs: []string{"-"}, Progress: "yes"},
		"packets of tunnels":      {Inputs: []string{"-"}, Tunnels: "none"},
		"expectations":            {Inputs: []string{"-"}, Expect: "nosuch.jsonl"},
		"bytes of a capture":      {Inputs: []string{"-"}, SnapLen: 192},
		"the mode of a capture":   {Inputs: []string{"-"}, Own: true},
		"a batch too large":       {Inputs: []string{"-"}, Batch: 4097},
		"a negative batch":        {Inputs: []string{"-"}, Batch: -1},
		"a path in place of name": {Inputs: []string{"-"}, Profile: "../profiles/default"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Check(s)
			require.Equal(t, exit.Usage, exit.CodeOf(err))
		})
	}
}

func TestEveryProfileIsARulesFile(t *testing.T) {
	require.Contains(t, detect.Profiles(), config.DefaultProfile)
	for _, name := range detect.Profiles() {
		text, err := config.ProfileSource(name)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), name+".yaml")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		fromFile, err := config.RulesFile(file)
		require.NoError(t, err)
		builtIn, err := config.Profile(name)
		require.NoError(t, err)
		require.Equal(t, builtIn.Rules, fromFile.Rules)
		require.Equal(t, builtIn.Home, fromFile.Home)
	}
	_, err := config.ProfileSource("nosuch")
	require.Equal(t, exit.Usage, exit.CodeOf(err))
}
