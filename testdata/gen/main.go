// Command gen writes the project's own captures: the small ones committed
// under testdata/captures with the scans they hold, and the large inputs of
// the benchmarks. The same version writes the same bytes for ever: every
// choice comes from fixed seeds, and no clock is read.
//
// All addresses are documentation addresses (RFC 5737, RFC 3849); the site's
// own are 192.0.2.0/24, 198.51.100.0/24 and 2001:db8:1::/48.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

const usage = `usage: gen captures -o DIR
       gen bench -o DIR [-packets N]
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "gen: error: %v\n", err)
		if errors.Is(err, errUsage) {
			fmt.Fprint(os.Stderr, usage)
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong arguments")

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: no command", errUsage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	dir := flags.String("o", "", "directory to write to")
	packets := flags.Int("packets", 0, "packets a benchmark file holds (0: its default)")
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *dir == "" || flags.NArg() != 0 || *packets < 0 {
		return fmt.Errorf("%w: want -o DIR and no further argument", errUsage)
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", *dir, err)
	}
	switch args[0] {
	case "captures":
		return writeCaptures(*dir)
	case "bench":
		return writeBench(*dir, *packets)
	default:
		return fmt.Errorf("%w: unknown command %q", errUsage, args[0])
	}
}
