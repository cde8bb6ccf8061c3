// Package cli is the command line: flags and verbs, and the words that explain
// them.
package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/flows"
)

// Main runs the command with its arguments, the name of the program left out,
// and returns the exit code.
func Main(ctx context.Context, args []string, streams app.Streams) exit.Code {
	root := rootCommand(streams)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exit.Done
	}
	if _, ok := errors.AsType[*exit.Error](err); !ok {
		// What cobra finds wrong is always the command line.
		err = exit.With(exit.Usage, err, "'synoptic --help' explains the command line")
	}
	app.NewVoice(streams.Err).Error(err)
	return exit.CodeOf(err)
}

func rootCommand(streams app.Streams) *cobra.Command {
	var s config.Settings
	var list bool
	root := &cobra.Command{
		Use:           "synoptic",
		Long:          strings.TrimSpace(usageText),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          takeFilter(&s),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				return listInterfaces(cmd.Context(), streams)
			}
			return read(cmd.Context(), s, streams)
		},
	}
	root.SetHelpTemplate("{{.Long}}\n")
	root.SetUsageTemplate("{{.Long}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true // the usage text names it
	readFlags(root, &s)
	root.Flags().BoolVarP(&list, "list-interfaces", "D", false, "list interfaces")
	root.AddCommand(versionCommand(streams), configCommand(streams), filterCommand(streams), explainCommand(streams), interfacesCommand(streams))
	return root
}

func read(ctx context.Context, s config.Settings, streams app.Streams) error {
	plan, err := config.Check(s)
	if err != nil {
		return err
	}
	run, err := app.New(plan, streams, Version())
	if err != nil {
		return err
	}
	return run.Run(ctx)
}

func readFlags(cmd *cobra.Command, s *config.Settings) {
	decideFlags(cmd, s)
	f := cmd.Flags()
	f.StringArrayVarP(&s.Devices, "interface", "i", nil, "interface to capture from")
	f.StringVar(&s.XDP, "xdp", "", "have a program in the kernel look at packets")
	f.Lookup("xdp").NoOptDefVal = bpf.Auto.String()
	f.IntVarP(&s.SnapLen, "snaplen", "s", 0, "bytes of a packet that are captured")
	f.BoolVarP(&s.Own, "no-promiscuous-mode", "p", false, "capture only what is for this host")
	f.BoolVar(&s.Follow, "follow", false, "read on as the last capture grows")
	f.BoolVar(&s.JSON, "json", false, "JSON records on standard output")
	f.StringArrayVarP(&s.Outputs, "output", "o", nil, "output format and file")
	f.StringVarP(&s.Evidence, "evidence", "w", "", "folder to keep packets of scans in")
	f.StringVar(&s.EvidenceSize, "evidence-size", "", "what its files may take together")
	f.StringVar(&s.Expect, "expect", "", "scans that there must be")
	f.StringVar(&s.FailOn, "fail-on", "", "severity that fails the run")
	f.BoolVarP(&s.Quiet, "quiet", "q", false, "scans only")
	f.StringVar(&s.MinSeverity, "min-severity", "", "least severity of scans to write")
	f.StringVar(&s.Heartbeat, "heartbeat", "", "how often to write how the run is doing")
	f.StringVar(&s.State, "state", "", "file to keep what was learned in")
	f.StringVar(&s.StateEvery, "state-every", "", "how often it is saved")
	f.StringVar(&s.Listen, "listen", "", "address to tell metrics and health on")
	f.BoolVar(&s.Profiling, "pprof", false, "profiles of the program itself beside the metrics")
	f.StringVar(&s.CPUProfile, "cpuprofile", "", "CPU profile of the program itself")
	f.StringVar(&s.MemProfile, "memprofile", "", "heap profile of the program itself")
	f.IntVar(&s.Batch, "batch", 0, "packets that go through the stages at a time")
	f.BoolVar(&s.Inline, "inline", false, "run all stages on one goroutine")
	for _, hidden := range []string{"cpuprofile", "memprofile", "batch", "inline"} {
		f.Lookup(hidden).Hidden = true
	}
	_ = cmd.MarkFlagDirname("evidence")
	completions(cmd)
}

// decideFlags are those that say what is read and how it is decided, for every command
// that does so.
func decideFlags(cmd *cobra.Command, s *config.Settings) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&s.Inputs, "read", "r", nil, "capture to read")
	f.StringVar(&s.Tunnels, "tunnels", flows.TunnelsInner.String(), "which packets of tunnels count")
	f.Uint64VarP(&s.Count, "count", "c", 0, "packets to read")
	f.BoolVar(&s.Strict, "strict", false, "fail on damaged input")
	f.StringVar(&s.Profile, "profile", "", "built-in rules")
	f.StringVar(&s.Rules, "rules", "", "rules file")
	f.StringVar(&s.Allow, "allow", "", "allow-list")
	f.StringVar(&s.Home, "home", "", "our own networks")
	f.StringVar(&s.Memory, "memory", config.SizeText(config.DefaultMemory), "memory for what is remembered")
	f.StringVar(&s.Seed, "seed", "", "key of the hash functions")
	f.BoolVarP(&s.Verbose, "verbose", "v", false, "settings and counters")
	f.StringVar(&s.Color, "color", string(config.Auto), "when to use colours")
	f.StringVar(&s.Progress, "progress", string(config.Auto), "when to show progress")
}
