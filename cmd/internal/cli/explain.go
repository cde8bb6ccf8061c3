package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

const explainText = `
Usage:
    synoptic explain [ADDRESS] -r FILE [-r FILE]... [--all] [--json] [FLAGS]
             [EXPRESSION]
    synoptic explain --sweep -r FILE [-r FILE]... [--json] [FLAGS] [EXPRESSION]

Says why ADDRESS was named as a scanner, or why not: which of its attempts
counted and which did not, how far each rule got, and what held it back. ADDRESS
may also be one that was scanned. Without ADDRESS it says how near each rule came
to naming somebody who was not named.

    -r, --read FILE         As of synoptic, as are --tunnels, --count, --strict,
                            --profile, --rules, --allow, --home, --memory,
                            --verbose, --color, --progress and EXPRESSION.
    --all                   List every attempt, and all that is cut short else.
    --json                  Write JSON: one record, with --all the attempts
                            before it, one a line.
    --sweep                 Say how many scans other thresholds would give: of
                            each rule alone, and of all at once, and who would
                            come or go. Runs an engine for each threshold beside
                            the one in force, some 90 for the default rules, at
                            10 MB each and what they remember. --memory bounds
                            each: with 16MiB it is 3 MB.

An attempt is told of by what came of it and how it is judged: counted, or the
reason why it is no evidence. COUNTED is the highest count of a rule under one
key, that of the host, port and protocol beside it. A rule that counted enough
and did not fire was held back, and the line below it says by what.

A TCP segment between hosts that have both sent payload is passed over early
and is in none of the counts of packets.

Example:
    $ synoptic explain 192.0.2.30 -r capture.pcap
    $ synoptic explain 192.0.2.30 -r capture.pcap --all
    $ synoptic explain -r capture.pcap
    $ synoptic explain --sweep -r capture.pcap
`

func explainCommand(streams app.Streams) *cobra.Command {
	var s config.Settings
	var x config.Explain
	cmd := &cobra.Command{
		Use:   "explain [ADDRESS]",
		Short: "say why a source was named, or was not",
		Long:  strings.TrimSpace(explainText),
		Args: func(_ *cobra.Command, args []string) error {
			rest, err := takeAddress(args, &x)
			s.Filter = strings.Join(rest, " ")
			if err == nil && x.Sweep && (x.Address.IsValid() || x.All) {
				err = exit.With(exit.Usage, errors.New("--sweep is about all sources: it takes neither ADDRESS nor --all"),
					"to sweep over the packets of one host: synoptic explain --sweep -r FILE host ADDRESS")
			}
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.Explain = &x
			return read(cmd.Context(), s, streams)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	decideFlags(cmd, &s)
	cmd.Flags().BoolVar(&x.All, "all", false, "every attempt")
	cmd.Flags().BoolVar(&x.JSON, "json", false, "a JSON record")
	cmd.Flags().BoolVar(&x.Sweep, "sweep", false, "what other thresholds would find")
	completions(cmd)
	return cmd
}

// takeAddress takes the address that arguments may begin with; the rest is a filter.
func takeAddress(args []string, x *config.Explain) (rest []string, err error) {
	if len(args) == 0 {
		return nil, nil
	}
	addr, err := netip.ParseAddr(args[0])
	switch {
	case err != nil && strings.ContainsAny(args[0], ".:") && !strings.ContainsAny(args[0], " []"):
		return nil, exit.With(exit.Usage, fmt.Errorf("%q is no address", args[0]),
			"names are not looked up, and an address stands for itself alone: 192.0.2.30 or 2001:db8::30")
	case err != nil:
		return args, nil
	case addr.Zone() != "":
		return nil, exit.With(exit.Usage, errors.New("an address with a zone stands in no packet"), "leave out %"+addr.Zone())
	}
	x.Address = addr
	return args[1:], nil
}
