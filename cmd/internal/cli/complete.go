package cli

import (
	"github.com/spf13/cobra"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// completions says what a shell may offer behind the flags that take one of a
// few words. Files are what shells offer by themselves.
func completions(cmd *cobra.Command) {
	formats := make([]string, 0, len(config.Formats()))
	for _, f := range config.Formats() {
		formats = append(formats, string(f))
	}
	severities := make([]string, 0, output.MaxSeverity)
	for n := 1; n <= output.MaxSeverity; n++ {
		severities = append(severities, output.SeverityName(n))
	}
	modes := []string{string(config.Auto), string(config.Always), string(config.Never)}
	var tunnels []string
	for t := flows.TunnelsInner; t <= flows.TunnelsBoth; t++ {
		tunnels = append(tunnels, t.String())
	}
	for _, c := range []struct {
		flag   string
		values []string
	}{
		{"profile", detect.Profiles()},
		{"output", formats},
		{"tunnels", tunnels},
		{"fail-on", severities},
		{"min-severity", severities},
		{"color", modes},
		{"progress", modes},
	} {
		// It fails only for flags that do not exist.
		_ = cmd.RegisterFlagCompletionFunc(c.flag, fixed(c.values...))
	}
}

func fixed(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}
