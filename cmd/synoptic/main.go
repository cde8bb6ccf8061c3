// Command synoptic reads captured packets and names who is scanning whom.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // an allow-list names time zones, and a machine may know none; 0.4 of 17 MB

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	// With a handler in place a reader of our output that goes away is an error
	// of writing, which ends the run in good order, and not the end of the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal ends the run early; a second one, the process.
	context.AfterFunc(ctx, stop)
	return int(cli.Main(ctx, os.Args[1:], app.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
