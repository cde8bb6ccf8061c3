// Command gen writes the project's own captures: the small ones committed
// under testdata/captures with the scans they hold, the large inputs of the
// benchmarks, and days of the made-up site of testdata/site. The same version writes the same bytes for ever: every
// choice comes from fixed seeds, and no clock is read.
//
// All addresses are documentation addresses (RFC 5737, RFC 3849); the site's
// own are 192.0.2.0/24, 198.51.100.0/24 and 2001:db8:1::/48. The days are of
// another site, see there.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	days "github.com/synoptic-ids/synoptic/testdata/site"
)

const usage = `usage: gen captures -o DIR
       gen bench -o DIR [-packets N]
       gen site -o DIR [-seed N] [-from 0h] [-for 24h] [-only ACTIVITY]
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
	var day days.Config
	flags.Uint64Var(&day.Seed, "seed", 0, "which day of the site")
	flags.DurationVar(&day.From, "from", 0, "where in the day to begin, of 06:00")
	flags.DurationVar(&day.For, "for", 24*time.Hour, "how long to go on")
	flags.Func("only", "an activity of the site that goes on; repeat it for more (none: all do)", func(name string) error {
		if !slices.Contains(days.Activities(), name) {
			return fmt.Errorf("must be one of %s", strings.Join(days.Activities(), ", "))
		}
		day.Only = append(day.Only, name)
		return nil
	})
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
	case "site":
		return days.Write(*dir, day)
	default:
		return fmt.Errorf("%w: unknown command %q", errUsage, args[0])
	}
}
