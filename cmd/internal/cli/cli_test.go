package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/cli"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

const captures = "../../../testdata/captures"

// command runs the command line and returns what it wrote.
func command(t *testing.T, args ...string) (code exit.Code, stdout, stderr []byte) {
	t.Helper()
	var out, said bytes.Buffer
	code = cli.Main(t.Context(), args, app.Streams{Out: &out, Err: &said})
	return code, out.Bytes(), said.Bytes()
}

// TestRecordsMatchTheirSchema holds every record of every capture against the
// schema that the command itself prints.
func TestRecordsMatchTheirSchema(t *testing.T) {
	code, text, _ := command(t, "config", "schema")
	require.Equal(t, exit.Done, code)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("records.json", document))
	schema, err := compiler.Compile("records.json")
	require.NoError(t, err)

	files, err := filepath.Glob(filepath.Join(captures, "*.pcap*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	scans := 0
	for _, file := range files {
		attempts := filepath.Join(t.TempDir(), "attempts.jsonl")
		code, out, said := command(t, "-r", file, "--json", "-o", "attempts:"+attempts)
		require.Equal(t, exit.Done, code, "%s: %s", file, said)
		more, err := os.ReadFile(attempts)
		require.NoError(t, err)
		for line := range bytes.Lines(append(out, more...)) {
			record, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(record), "%s: %s", file, line)
			scans += bytes.Count(line, []byte(`"phase":"close"`))
		}
	}
	require.Positive(t, scans)
	explanations := [][]string{
		{"203.0.113.250", "-r", "syn-vertical.pcap", "--all"},
		{"192.0.2.140", "-r", "p2p.pcap", "--all"},
		{"-r", "monitor.pcap.lz4"},
		{"192.0.2.1", "-r", "xmas.pcap"},
		{"198.51.100.10", "-r", "syn-vertical.pcap"},
		{"--sweep", "-r", "browser.pcap"},
	}
	for _, args := range explanations {
		for i, arg := range args {
			if strings.Contains(arg, ".pcap") {
				args[i] = filepath.Join(captures, arg)
			}
		}
		code, out, said := command(t, append([]string{"explain", "--json"}, args...)...)
		require.Equal(t, exit.Done, code, "%s: %s", args, said)
		for line := range bytes.Lines(out) {
			record, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(record), "%s: %s", args, line)
		}
	}
}

// TestUsageNamesEveryFlag keeps the hand-written usage text in step with the
// flags: those it names exist, and those that exist are named.
func TestUsageNamesEveryFlag(t *testing.T) {
	_, help, _ := command(t, "--help")
	code, offered, _ := command(t, "__complete", "--")
	require.Equal(t, exit.Done, code)
	var want []string
	for line := range strings.Lines(string(offered)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(name, "--") && name != "--help" {
			want = append(want, strings.TrimSuffix(name, "="))
		}
	}
	flag := regexp.MustCompile(`(?m)^    (?:-[a-zA-Z], )?(--[a-z-]+)`)
	var named []string
	for _, m := range flag.FindAllStringSubmatch(string(help), -1) {
		named = append(named, m[1])
	}
	require.ElementsMatch(t, want, named)
	for line := range strings.Lines(string(help)) {
		require.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), 80, line)
	}
}

func TestMessagesHaveOneVoice(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"reed"},
		{"-r", "nosuch.pcap"},
		{"-r", "cli_test.go"},
		{"--frobnicate"},
		{"-r"},
		{"config", "check"},
		{"-r", "x", "--home", "y"},
		{"-r", "x", "-o", "xml"},
		{"version", "7"},
		{"explain", "192.0.2.1"},
		{"explain", "192.0.2", "-r", "x"},
		{"explain", "fe80::1%eth0", "-r", "x"},
		{"explain", "--sweep", "192.0.2.1", "-r", "x"},
	} {
		code, out, said := command(t, args...)
		require.NotEqual(t, exit.Done, code, args)
		require.Empty(t, out, args)
		require.NotEmpty(t, said, args)
		hints := 0
		for line := range strings.Lines(string(said)) {
			require.Regexp(t, `^synoptic: (error|hint): [^A-Z].*[^.]\n$`, line, args)
			hints += strings.Count(line, "synoptic: hint: ")
		}
		require.Positive(t, hints, "%v: %s", args, said)
	}
}
